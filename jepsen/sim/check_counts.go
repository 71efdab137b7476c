package sim

import "github.com/kvorum/kvorum/fsm/command"

// countChecker counts what a run did; a run that did too little is invalid.
type countChecker struct {
	nothing
	w *world
}

func (c *countChecker) committed(e entry) {
	if !e.fresh() {
		return
	}
	switch x := e.env.Command.(type) {
	case *command.ServersPlace:
		for _, i := range x.Items {
			if i.HostID != "" && e.after.Permit(i.ServerID) != nil && e.before.Permit(i.ServerID) == nil {
				c.w.counts.Placed++
			}
		}
	case *command.ServerDelete:
		c.w.counts.Deleted++
	}
}
