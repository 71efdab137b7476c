package leader

import (
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/placement"
)

// placeAtOnce bounds how many servers one command places: it keeps entries
// small and lets others in between.
const placeAtOnce = 256

// place finds hosts for the servers that wait, the oldest first.
func place(in Inputs) []command.Command {
	c := &command.ServersPlace{}
	var planner *placement.Planner
	for s := range in.View.ServersWaiting() {
		if len(c.Items) == placeAtOnce {
			break
		}
		if planner == nil {
			var all []*model.Host
			for h := range in.View.Hosts() {
				all = append(all, h)
			}
			planner = placement.NewPlanner(all, in.View.Index)
		}
		c.Items = append(c.Items, decide(in, planner, s))
	}
	if len(c.Items) == 0 {
		return nil
	}
	return []command.Command{c}
}

func decide(in Inputs, planner *placement.Planner, s *model.Server) command.Placement {
	r := placement.Request{ServerID: s.ID, Size: s.Size, Zone: s.WantZone, HostName: s.WantHost, Arch: "x86_64"}
	if img := in.View.Image(s.ImageID); img != nil {
		r.Arch = img.Architecture()
	}
	d, trace := planner.Place(r)
	p := command.Placement{ServerID: s.ID, HostID: d.HostID, Trace: trace.String()}
	if d.HostID == "" {
		p.Fault, p.Reason = trace.Fault(), trace.Reason()
	}
	return p
}
