package raftnode

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
)

// Member is one node of the cluster as raft knows it.
type Member struct {
	// ID is the node's Config.NodeID, Address its Config.Address.
	ID, Address string
	// Voter says that it counts for majorities; others only follow the log.
	Voter bool
}

// Members lists the nodes of the newest configuration that this node knows,
// which need not be committed yet.
func (n *Node) Members() ([]Member, error) {
	f := n.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return nil, errs.E("raftnode.members", errs.Internal, "", err)
	}
	return members(f.Configuration()), nil
}

// electorate is the newest committed configuration: raft itself tells only the
// newest one, which may never be.
type electorate struct {
	mu      sync.Mutex
	members []Member
	index   uint64
}

func (e *electorate) set(index uint64, c raft.Configuration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if index >= e.index {
		e.members, e.index = members(c), index
	}
}

// Electorate lists the members of the newest configuration that this node knows
// to be committed, and its index in the log.
func (n *Node) Electorate() ([]Member, uint64) {
	e := &n.machine.elect
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.members, e.index
}

// restored takes the configuration of the newest snapshot: what was committed
// before it is never applied again.
func (e *electorate) restored(snaps raft.SnapshotStore) error {
	all, err := snaps.List()
	if err != nil {
		return errs.E("raftnode.members", errs.Internal, "the snapshots cannot be listed", err)
	}
	if len(all) > 0 {
		e.set(all[0].ConfigurationIndex, all[0].Configuration)
	}
	return nil
}

func members(c raft.Configuration) (out []Member) {
	for _, s := range c.Servers {
		out = append(out, Member{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter})
	}
	return out
}

// MaxVoters is how many nodes vote at most: with more of them a write waits
// for more disks and little is gained.
const MaxVoters = 5

// change is one step of the membership; the zero value is none.
type change struct {
	add, promote, remove *Member
}

// nextChange gives the one step that brings the members closer to those
// wanted. caughtUp says whether a member that does not vote yet has the log.
//
// New nodes first follow, and vote when they have caught up: a voter with an
// empty log is a failure that is already there. An even number of voters
// tolerates no more failures than the odd one below it and needs a larger
// majority; so a node becomes the second or fourth voter only when another one
// is there to be the next. Nobody is ever demoted here.
func nextChange(want []Server, have []Member, caughtUp func(Member) bool) change {
	if len(want) == 0 {
		return change{} // a state that is not initialized says nothing
	}
	wanted, known := map[string]Server{}, map[string]Member{}
	for _, s := range want {
		wanted[s.ID] = s
	}
	voters, ready := 0, []Member{}
	for _, m := range have {
		known[m.ID] = m
		switch {
		case wanted[m.ID].ID == "":
		case m.Voter:
			voters++
		case caughtUp(m):
			ready = append(ready, m)
		}
	}
	for _, s := range want {
		if m, ok := known[s.ID]; !ok || m.Address != s.Address {
			return change{add: &Member{ID: s.ID, Address: s.Address, Voter: m.Voter}}
		}
	}
	goal := min(MaxVoters, voters+len(ready))
	if goal%2 == 0 && voters%2 == 1 {
		goal--
	}
	if len(ready) > 0 && voters < goal {
		return change{promote: &ready[0]}
	}
	for _, m := range have {
		if _, ok := wanted[m.ID]; !ok {
			return change{remove: &m}
		}
	}
	return change{}
}

// lagAllowed is how many entries a node may be behind and still be made a
// voter.
const lagAllowed = 256

// KeepMembers makes the cluster consist of the nodes that want gives, one
// change at a time, until ctx ends. It works on the leader; woken by changed
// (which is asked for anew each time) and at least once a second.
func (n *Node) KeepMembers(ctx context.Context, want func() []Server, changed func() <-chan struct{}) {
	for ctx.Err() == nil {
		wake := changed()
		moved, err := n.keepOnce(ctx, want())
		if err != nil && ctx.Err() == nil {
			n.cfg.Log.Warn("the members of the cluster could not be changed", "err", err)
		}
		if moved && err == nil {
			continue
		}
		select {
		case <-wake:
		case <-n.cfg.Clock.After(memberPause):
		case <-ctx.Done():
		}
	}
}

const memberPause = time.Second

func (n *Node) keepOnce(ctx context.Context, want []Server) (moved bool, err error) {
	have, err := n.Members()
	if err != nil {
		return false, err
	}
	c := nextChange(want, have, func(m Member) bool { return n.caughtUp(ctx, m) })
	switch {
	case c.add != nil:
		return true, n.add(*c.add)
	case c.promote != nil:
		n.cfg.Log.Info("control node votes from now on", "node", c.promote.ID)
		return true, n.wait(n.raft.AddVoter(raft.ServerID(c.promote.ID), raft.ServerAddress(c.promote.Address), 0, n.cfg.EnqueueTimeout))
	case c.remove != nil:
		n.cfg.Log.Info("control node leaves the cluster", "node", c.remove.ID)
		if c.remove.ID == n.cfg.NodeID { // another leader will do it
			return true, n.TransferLeadership()
		}
		return true, n.wait(n.raft.RemoveServer(raft.ServerID(c.remove.ID), 0, n.cfg.EnqueueTimeout))
	}
	return false, nil
}

// add takes a node in as one that follows; a voter whose address changed stays
// a voter.
func (n *Node) add(m Member) error {
	id, address := raft.ServerID(m.ID), raft.ServerAddress(m.Address)
	n.cfg.Log.Info("control node enters the cluster", "node", m.ID, "address", m.Address)
	if m.Voter {
		return n.wait(n.raft.AddVoter(id, address, 0, n.cfg.EnqueueTimeout))
	}
	return n.wait(n.raft.AddNonvoter(id, address, 0, n.cfg.EnqueueTimeout))
}

func (n *Node) wait(f raft.IndexFuture) error {
	if err := f.Error(); err != nil {
		return errs.E("raftnode.members", errs.Unavailable, "The cluster's members could not be changed.", err)
	}
	return nil
}

// caughtUp asks a node how far it is.
func (n *Node) caughtUp(ctx context.Context, m Member) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-n.cfg.Clock.After(n.cfg.ElectionTimeout):
			cancel()
		case <-ctx.Done():
		}
	}()
	applied, err := n.cfg.Peers.AppliedIndex(ctx, m.Address)
	return err == nil && applied+lagAllowed >= n.AppliedIndex()
}
