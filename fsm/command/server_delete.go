package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// ServerDelete removes a server for good: from this entry on nobody sees it
// but in its tombstone.
//
// Rules: the server is the actor's, in whatever state. The quota is given back
// at once. If a host has it, the host's claim, the permit and the addresses
// stay taken until that host confirms that nothing of it runs any more
// (host.report); ports that the user made stay plugged until then too.
type ServerDelete struct {
	ID model.ServerID `json:"id"`
}

// Kind implements Command.
func (*ServerDelete) Kind() string { return "server.delete/1" }

// Apply implements Command.
func (c *ServerDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	s, err := findServer(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	charges := state.SizeCharge(s.Size, -1)
	if err := tx.Charge(s.ProjectID, charges...); err != nil {
		return nil, err
	}
	tx.DeleteServer(s.ID)
	beginAction(tx, m, s.ID, s.ProjectID, "delete")
	t := &model.Tombstone{Server: *s.Clone(), DeletedAt: m.At}
	t.Server.TaskState, t.Server.UserData = "", nil
	touch(&t.Server, m)
	tx.PutTombstone(t)
	if err := dropPorts(tx, m, s.ID); err != nil {
		return nil, err
	}
	if s.HostID == "" {
		bury(tx, m, t)
	}
	return []string{string(s.ID)}, nil
}

// dropPorts removes the ports that were made for a server. Their addresses
// stay, held by the server, until it is buried.
func dropPorts(tx *state.Tx, m Meta, id model.ServerID) error {
	for _, p := range collect(tx.PortsOfDevice(string(id))) {
		if !p.Auto {
			continue
		}
		for _, a := range collect(tx.FixedAddressesOf(p.ID)) {
			b := a.Clone()
			b.PortID, b.HeldBy = "", id
			tx.PutFixedAddress(b)
		}
		tx.DeletePort(p.ID)
		if err := tx.Charge(p.ProjectID, state.Charge{Resource: "port", By: -1}); err != nil {
			return err
		}
	}
	return nil
}

// bury ends what a deleted server still held: nothing of it runs anywhere.
func bury(tx *state.Tx, m Meta, t *model.Tombstone) {
	id := t.Server.ID
	for _, a := range collect(tx.FixedAddressesHeldBy(id)) {
		tx.DeleteFixedAddress(a.NetworkID, a.IP)
	}
	for _, p := range collect(tx.PortsOfDevice(string(id))) {
		q := p.Clone()
		q.DeviceID, q.DeviceOwner, q.Active = "", "", false
		q.UpdatedAt, q.Revision = m.At, q.Revision+1
		tx.PutPort(q)
	}
	if h := tx.Host(t.Server.HostID); h != nil {
		tx.PutHost(claim(h.Clone(), t.Server.Size, -1))
	}
	tx.DeletePermit(id)
	endActions(tx, m, id, false)
	done := t.Clone()
	done.Confirmed = true
	tx.PutTombstone(done)
}

// claim adds n servers of a size to what a host has promised.
func claim(h *model.Host, s model.Size, n int) *model.Host {
	h.UsedVCPUs += n * s.VCPUs
	h.UsedRAM += n * s.RAM
	h.UsedDisk += n * s.DiskTotal()
	h.Guests += n
	return h
}

// collect reads a list whole, so that it may be changed while it is walked.
func collect[T any](seq func(func(T) bool)) (all []T) {
	seq(func(x T) bool { all = append(all, x); return true })
	return all
}

func exampleServerDelete() *ServerDelete {
	return &ServerDelete{ID: "00000000-0000-4000-8000-000000000001"}
}

func workServerDelete(g Gen) (Command, By, bool) {
	s, by, ok := someServer(g)
	if !ok {
		return nil, by, false
	}
	return &ServerDelete{ID: s.ID}, by, true
}
