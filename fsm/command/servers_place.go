package command

import (
	"strings"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ServersPlace gives waiting servers their hosts, many at once. It is the
// leader's duty; each decision is checked again here.
//
// Rules, for each: the server still waits; the host is there, enabled and up,
// and has room. A decision that no longer holds is left out: the server goes
// on waiting, and the duty decides anew. A decision without a host puts the
// server in error with the trace's sentence. Either way the server keeps the
// trace, of which maxTrace bytes.
type ServersPlace struct {
	Items []Placement `json:"items"`
}

// Placement is one decision of ServersPlace.
type Placement struct {
	ServerID model.ServerID `json:"server_id"`
	HostID   model.HostID   `json:"host_id,omitempty"`
	// Fault is for the user, when no host fits.
	Fault string `json:"fault,omitempty"`
	// Trace is why it came out so, for administrators.
	Trace string `json:"trace,omitempty"`
	// Reason is the trace in one word, for the proposer's metrics; it is not
	// part of the command.
	Reason string `json:"-"`
}

// maxTrace bounds what a server keeps of its trace, in bytes: every filter's
// count and the three best hosts have room.
const maxTrace = 1024

// Kind implements Command.
func (*ServersPlace) Kind() string { return "servers.place/1" }

// Apply implements Command. The ids are those of the servers it settled.
func (c *ServersPlace) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if err := onlySystem("servers.place", m.By, Leader); err != nil {
		return nil, err
	}
	var ids []string
	for _, item := range c.Items {
		s := tx.Server(item.ServerID)
		if s == nil || s.TaskState != model.TaskScheduling {
			continue
		}
		s = s.Clone()
		s.Why = strings.ToValidUTF8(item.Trace[:min(len(item.Trace), maxTrace)], "")
		if item.HostID == "" {
			fail(tx, m, s, model.Fault{Code: 500, Message: item.Fault, Details: s.Why})
		} else if !place(tx, m, s, item.HostID) {
			continue
		}
		ids = append(ids, string(s.ID))
	}
	if len(ids) == 0 {
		return nil, refuse("servers.place", errs.Conflict, "none of %d decisions holds any more", len(c.Items))
	}
	return ids, nil
}

// place gives a host to a server, which is the caller's own copy, if it still
// has room.
func place(tx *state.Tx, m Meta, s *model.Server, host model.HostID) bool {
	h := tx.Host(host)
	if h == nil || h.Disabled || h.Down || h.ForcedDown || !h.Fits(s.Size) {
		return false
	}
	tx.PutHost(claim(h.Clone(), s.Size, 1))
	tx.PutPermit(&model.Permit{ServerID: s.ID, HostID: host, Number: m.Index})
	s.HostID, s.Zone, s.TaskState = host, h.Zone, model.TaskSpawning
	tx.PutServer(touch(s, m))
	return true
}

// fail puts a server in error and says why.
func fail(tx *state.Tx, m Meta, old *model.Server, f model.Fault) {
	s := old.Clone()
	f.At = m.At
	s.VMState, s.TaskState, s.Fault = model.Errored, "", &f
	tx.PutServer(touch(s, m))
	endActions(tx, m, s.ID, true)
}

func exampleServersPlace() *ServersPlace {
	return &ServersPlace{Items: []Placement{{ServerID: "00000000-0000-4000-8000-000000000001", HostID: "00000000-0000-4000-8000-0000000000f1",
		Trace: "at index 8, 1 host; 1. h1 (2000)"}}}
}

// workServersPlace places at random, fitting or not: Apply must see to it that
// no host promises too much.
func workServersPlace(g Gen) (Command, By, bool) {
	h, ok := pick(g, g.View().Hosts())
	if !ok {
		return nil, By{}, false
	}
	c := &ServersPlace{}
	for s := range g.View().ServersWaiting() {
		c.Items = append(c.Items, Placement{ServerID: s.ID, HostID: h.ID, Trace: "at random; 1. " + h.Name})
	}
	return c, By{System: Leader, Term: g.View().Term}, len(c.Items) > 0
}
