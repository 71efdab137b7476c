package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// HostReport is what a host saw of its guests, told only when it changed.
//
// Rules: the actor is that host. A report that is no newer than the newest one
// heard changes nothing: it was on its way for too long, or came twice. An
// observation counts only under the server's present permit, and only if that
// permit is this host's. What an observation means for the server is in
// observe.
type HostReport struct {
	HostID model.HostID `json:"host_id"`
	// Seq orders the host's reports; 0 is that of a host that does not number
	// them.
	Seq    uint64          `json:"seq,omitempty"`
	Guests []GuestObserved `json:"guests"`
}

// GuestObserved is one guest of HostReport; see assign.Observed.
type GuestObserved struct {
	ID            model.ServerID `json:"id"`
	Permit        uint64         `json:"permit"`
	State         string         `json:"state"`
	PowerEpoch    uint64         `json:"power_epoch,omitempty"`
	RebootEpoch   uint64         `json:"reboot_epoch,omitempty"`
	StoppedItself bool           `json:"stopped_itself,omitempty"`
	Fault         string         `json:"fault,omitempty"`
}

// Kind implements Command.
func (*HostReport) Kind() string { return "host.report/1" }

// Apply implements Command.
func (c *HostReport) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "host.report"
	if err := onlySystem(op, m.By, HostBy+string(c.HostID)); err != nil {
		return nil, err
	}
	h := tx.Host(c.HostID)
	if h == nil {
		return nil, refuse(op, errs.NotFound, "host %s is not registered", c.HostID)
	}
	if c.Seq != 0 {
		if c.Seq <= h.Reported {
			return nil, nil
		}
		h = h.Clone()
		h.Reported = c.Seq
		tx.PutHost(h)
	}
	for _, g := range c.Guests {
		p := tx.Permit(g.ID)
		if p == nil || p.HostID != c.HostID || p.Number != g.Permit {
			continue
		}
		if s := tx.Server(g.ID); s != nil {
			observe(tx, m, s, g)
		} else if t := tx.Tombstone(g.ID); t != nil && !t.Confirmed && g.State == string(assign.Removed) {
			bury(tx, m, t)
		}
	}
	return nil, nil
}

// observe brings a server's record in line with what its host saw.
func observe(tx *state.Tx, m Meta, old *model.Server, g GuestObserved) {
	if g.Fault != "" && g.PowerEpoch >= old.PowerEpoch && g.RebootEpoch >= old.RebootEpoch && !settled(old, g) {
		fail(tx, m, old, model.Fault{Code: 500, Message: g.Fault})
		return
	}
	s := old.Clone()
	switch assign.State(g.State) {
	case assign.Running:
		observeRunning(s, g, m)
	case assign.Shutoff, assign.Crashed:
		observeOff(s, g)
	case assign.Paused:
		// It came up, or went on, and stands still now: nothing more comes of
		// what it was asked to do.
		observeRunning(s, g, m)
		s.PowerState = model.PowerPaused
	}
	plugged := plugPorts(tx, m, s)
	if s.VMState == old.VMState && s.TaskState == old.TaskState && s.PowerState == old.PowerState && s.Off == old.Off && !plugged {
		return
	}
	tx.PutServer(touch(s, m))
	if s.TaskState == "" {
		endActions(tx, m, s.ID, false)
	}
}

// settled says that a fault reported now is already known.
func settled(s *model.Server, g GuestObserved) bool {
	return s.VMState == model.Errored && s.TaskState == "" && s.Fault != nil && s.Fault.Message == g.Fault
}

func observeRunning(s *model.Server, g GuestObserved, m Meta) {
	s.PowerState = model.PowerRunning
	waitsForStop := s.TaskState == model.TaskPoweringOff
	waitsForEpoch := g.PowerEpoch < s.PowerEpoch || g.RebootEpoch < s.RebootEpoch
	if s.Off || waitsForStop || waitsForEpoch {
		return
	}
	s.VMState, s.TaskState, s.Fault = model.Active, "", nil
	if s.LaunchedAt == 0 {
		s.LaunchedAt = m.At
	}
}

func observeOff(s *model.Server, g GuestObserved) {
	s.PowerState = model.PowerShutdown
	if g.State == string(assign.Crashed) {
		s.PowerState = model.PowerCrashed
	}
	switch {
	case s.Off:
		s.VMState, s.TaskState = model.Stopped, ""
	case g.StoppedItself && g.PowerEpoch >= s.PowerEpoch && g.RebootEpoch >= s.RebootEpoch:
		// The guest was switched off from inside: that is what its user wants.
		s.VMState, s.TaskState, s.Off = model.Stopped, "", true
	}
}

// plugPorts marks a running server's ports as plugged in, and tells whether
// that changed any.
func plugPorts(tx *state.Tx, m Meta, s *model.Server) (changed bool) {
	up := s.PowerState == model.PowerRunning
	for _, p := range collect(tx.PortsOfDevice(string(s.ID))) {
		if p.Active == up {
			continue
		}
		q := p.Clone()
		q.Active, q.UpdatedAt, q.Revision = up, m.At, q.Revision+1
		tx.PutPort(q)
		changed = true
	}
	return changed
}

func exampleHostReport() *HostReport {
	return &HostReport{HostID: "00000000-0000-4000-8000-0000000000f1", Guests: []GuestObserved{
		{ID: "00000000-0000-4000-8000-000000000001", Permit: 9, State: string(assign.Running), PowerEpoch: 1}}}
}

// workHostReport makes up what a host might see, true or stale.
func workHostReport(g Gen) (Command, By, bool) {
	v := g.View()
	h, ok := pick(g, v.Hosts())
	if !ok {
		return nil, By{}, false
	}
	c := &HostReport{HostID: h.ID}
	states := []assign.State{assign.Running, assign.Shutoff, assign.Crashed, assign.Removed, assign.Running}
	for p := range v.PermitsOn(h.ID) {
		o := GuestObserved{ID: p.ServerID, Permit: p.Number, State: string(states[g.Intn(len(states))])}
		if s := v.Server(p.ServerID); s != nil {
			o.PowerEpoch, o.RebootEpoch = s.PowerEpoch, s.RebootEpoch
			o.StoppedItself = o.State == string(assign.Shutoff) && g.Intn(2) == 0
		}
		if g.Intn(20) == 0 {
			o.Fault = "the disk is full"
		}
		if g.Intn(10) == 0 {
			o.Permit--
		}
		c.Guests = append(c.Guests, o)
	}
	return c, By{System: HostBy + string(h.ID)}, true
}
