package state

import (
	"iter"

	"github.com/kvorum/kvorum/internal/model"
)

// Server finds a server.
func (v View) Server(id model.ServerID) *model.Server { return v.t.servers.get(model.Server{ID: id}) }

// Servers lists all servers.
func (v View) Servers() iter.Seq[*model.Server] { return v.t.servers.all() }

// ServerCount is how many there are.
func (v View) ServerCount() int { return v.t.servers.len() }

// ServersOf lists a project's servers.
func (v View) ServersOf(p model.ProjectID) iter.Seq[*model.Server] {
	return v.t.servers.where(serversByOwner, &model.Server{ProjectID: p})
}

// ServersOn lists the servers that a host holds.
func (v View) ServersOn(h model.HostID) iter.Seq[*model.Server] {
	return v.t.servers.where(serversByHost, &model.Server{HostID: h})
}

// ServersFrom lists the servers made from an image.
func (v View) ServersFrom(i model.ImageID) iter.Seq[*model.Server] {
	return v.t.servers.where(serversByImage, &model.Server{ImageID: i})
}

// ServersWaiting lists the servers that wait for a host, the oldest first.
func (v View) ServersWaiting() iter.Seq[*model.Server] { return v.t.servers.ordered(serversByWait) }

// PutServer stores a server.
func (tx *Tx) PutServer(s *model.Server) { tx.t.servers.put(s) }

// DeleteServer removes a server.
func (tx *Tx) DeleteServer(id model.ServerID) { tx.t.servers.delete(&model.Server{ID: id}) }

// ServerActions lists a server's actions, the oldest first.
func (v View) ServerActions(id model.ServerID) iter.Seq[*model.ServerAction] {
	return v.t.actions.from(&model.ServerAction{ServerID: id}, func(a *model.ServerAction) bool { return a.ServerID == id })
}

// AllServerActions lists every action.
func (v View) AllServerActions() iter.Seq[*model.ServerAction] { return v.t.actions.all() }

// PutServerAction stores an action.
func (tx *Tx) PutServerAction(a *model.ServerAction) { tx.t.actions.put(a) }

// DeleteServerAction removes an action.
func (tx *Tx) DeleteServerAction(id model.ServerID, index uint64) {
	tx.t.actions.delete(&model.ServerAction{ServerID: id, Index: index})
}

// Permit finds a server's permit.
func (v View) Permit(id model.ServerID) *model.Permit {
	return v.t.permits.get(model.Permit{ServerID: id})
}

// Permits lists all permits.
func (v View) Permits() iter.Seq[*model.Permit] { return v.t.permits.all() }

// PermitsOn lists the permits of a host.
func (v View) PermitsOn(h model.HostID) iter.Seq[*model.Permit] {
	return v.t.permits.where(permitsByHost, &model.Permit{HostID: h})
}

// PutPermit stores a permit.
func (tx *Tx) PutPermit(p *model.Permit) { tx.t.permits.put(p) }

// DeletePermit removes a permit.
func (tx *Tx) DeletePermit(id model.ServerID) { tx.t.permits.delete(&model.Permit{ServerID: id}) }

// Tombstone finds what is left of a deleted server.
func (v View) Tombstone(id model.ServerID) *model.Tombstone {
	return v.t.tombstones.get(model.Tombstone{Server: model.Server{ID: id}})
}

// Tombstones lists all tombstones.
func (v View) Tombstones() iter.Seq[*model.Tombstone] { return v.t.tombstones.all() }

// TombstonesOn lists those that a host has not confirmed yet.
func (v View) TombstonesOn(h model.HostID) iter.Seq[*model.Tombstone] {
	return v.t.tombstones.where(tombsByHost, &model.Tombstone{Server: model.Server{HostID: h}})
}

// TombstonesOf lists a project's tombstones.
func (v View) TombstonesOf(p model.ProjectID) iter.Seq[*model.Tombstone] {
	return v.t.tombstones.where(tombsByOwner, &model.Tombstone{Server: model.Server{ProjectID: p}})
}

// TombstonesByAge lists the confirmed ones, the oldest first.
func (v View) TombstonesByAge() iter.Seq[*model.Tombstone] { return v.t.tombstones.ordered(tombsByAge) }

// PutTombstone stores a tombstone.
func (tx *Tx) PutTombstone(t *model.Tombstone) { tx.t.tombstones.put(t) }

// DeleteTombstone removes a tombstone.
func (tx *Tx) DeleteTombstone(id model.ServerID) {
	tx.t.tombstones.delete(&model.Tombstone{Server: model.Server{ID: id}})
}

// Host finds a host.
func (v View) Host(id model.HostID) *model.Host { return v.t.hosts.get(model.Host{ID: id}) }

// HostNamed finds a host by name.
func (v View) HostNamed(name string) *model.Host {
	return v.t.hosts.first(hostsByName, model.Host{Name: name})
}

// Hosts lists all hosts.
func (v View) Hosts() iter.Seq[*model.Host] { return v.t.hosts.all() }

// PutHost stores a host.
func (tx *Tx) PutHost(h *model.Host) { tx.t.hosts.put(h) }

// DeleteHost removes a host.
func (tx *Tx) DeleteHost(id model.HostID) { tx.t.hosts.delete(&model.Host{ID: id}) }
