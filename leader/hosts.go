package leader

import (
	"github.com/kvorum/kvorum/fsm/command"
)

// hosts says which hosts are down: those that were not heard for 1.2 leases
// and a grace of half a lease. A leader that is younger than that knows of
// nobody's silence yet. A host that is heard again is up.
func hosts(in Inputs) (out []command.Command) {
	patience := in.Life*12/10 + in.Life/2
	for h := range in.View.Hosts() {
		last, ever := heard(in.Leases, string(h.ID))
		if !ever || last < in.Since {
			last = in.Since
		}
		silent := in.Now-last > patience
		switch {
		case silent && !h.Down:
			out = append(out, &command.HostState{ID: h.ID, Down: true})
		case !silent && h.Down && ever && last > in.Since && in.Now-last <= in.Life:
			out = append(out, &command.HostState{ID: h.ID, Down: false})
		}
	}
	return out
}
