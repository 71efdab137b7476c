package raftnode

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/failpoint"
)

// RoleState is what a node is to its cluster.
type RoleState uint8

// The roles.
const (
	Follower RoleState = iota
	Candidate
	Leader
	Stopped
)

// String names the role.
func (s RoleState) String() string {
	return [...]string{"follower", "candidate", "leader", "stopped"}[s]
}

// Role is a node's present part in the cluster. It says what the node
// believes: a paused leader believes so for a while after it was deposed.
type Role struct {
	// State is what this node is.
	State RoleState
	// Term is the term of that State.
	Term uint64
	// LeaderID and LeaderAddress name the leader, if one is known.
	LeaderID, LeaderAddress string
}

// roleVar is the level-triggered role: only the present one counts, however
// many changes a reader missed.
type roleVar struct {
	mu      sync.Mutex
	role    Role
	changed chan struct{}
}

func (v *roleVar) get() (Role, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.role, v.changed
}

func (v *roleVar) set(r Role) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r == v.role {
		return
	}
	v.role = r
	close(v.changed)
	v.changed = make(chan struct{})
}

// Role tells this node's part in the cluster now.
func (n *Node) Role() Role {
	r, _ := n.role.get()
	return r
}

// WatchRole gives the role and a channel that is closed when it changes.
func (n *Node) WatchRole() (Role, <-chan struct{}) { return n.role.get() }

// Leader names the leader that this node knows of; both are empty if none.
func (n *Node) Leader() (id, address string) {
	a, i := n.raft.LeaderWithID()
	return string(i), string(a)
}

// watchRole keeps the role variable. Raft's own channels drop or block; here
// a full channel means that a look is due anyway, so nothing is missed.
func (n *Node) watchRole() {
	defer close(n.roleDone)
	events := make(chan raft.Observation, 1)
	observer := raft.NewObserver(events, false, func(o *raft.Observation) bool {
		switch o.Data.(type) {
		case raft.RaftState, raft.LeaderObservation:
			return true
		}
		return false
	})
	n.raft.RegisterObserver(observer)
	defer n.raft.DeregisterObserver(observer)
	for {
		was, _ := n.role.get()
		now := n.observeRole()
		turned(was.State, now.State)
		n.role.set(now)
		select {
		case <-events:
			continue
		case <-n.raft.LeaderCh():
			continue
		case <-n.fatal.tripped:
			n.stopRaft() // Close waits for it
		case <-n.gone:
		}
		n.role.set(Role{State: Stopped, Term: n.raft.CurrentTerm()})
		return
	}
}

// turned passes the places of a change of the lead, whose errors mean nothing.
func turned(was, now RoleState) {
	switch {
	case now == Leader && was != Leader:
		_ = failpoint.Hit(context.Background(), failpoint.LeadGained)
	case was == Leader && now != Leader:
		_ = failpoint.Hit(context.Background(), failpoint.LeadLost)
	}
}

func (n *Node) observeRole() Role {
	for {
		term := n.raft.CurrentTerm()
		state := n.raft.State()
		address, id := n.raft.LeaderWithID()
		// Raft gives up a state before it moves to the next term, so a state
		// read between two equal terms belongs to that term.
		if n.raft.CurrentTerm() != term {
			continue
		}
		return Role{State: roleState(state), Term: term, LeaderID: string(id), LeaderAddress: string(address)}
	}
}

func roleState(s raft.RaftState) RoleState {
	switch s {
	case raft.Leader:
		return Leader
	case raft.Candidate:
		return Candidate
	case raft.Shutdown:
		return Stopped
	}
	return Follower
}

// RunAsLeader calls fn once for every term that this node leads, after a
// barrier of that term: all that earlier leaders did is applied then. fn's
// context ends with the term. RunAsLeader waits for fn, and returns when ctx
// ends (nil), the node stops (nil), or fn fails while its term lasts.
func (n *Node) RunAsLeader(ctx context.Context, fn func(ctx context.Context, term uint64) error) error {
	for {
		role, changed := n.WatchRole()
		if role.State == Stopped || ctx.Err() != nil {
			return nil
		}
		if role.State != Leader {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		if err := n.lead(ctx, role.Term, fn); err != nil {
			return err
		}
	}
}

// lead runs fn in one term and returns when the term is over.
func (n *Node) lead(ctx context.Context, term uint64, fn func(context.Context, uint64) error) error {
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer cancel()
		n.untilTermEnds(ctx, term)
	}()
	defer func() { cancel(); <-watched }()
	if !n.establish(ctx, term) {
		return nil
	}
	err := fn(ctx, term)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return errs.E("raftnode.runAsLeader", errs.Internal, "", err)
	}
	<-ctx.Done()
	return nil
}

func (n *Node) untilTermEnds(ctx context.Context, term uint64) {
	for {
		role, changed := n.WatchRole()
		if role.State != Leader || role.Term != term {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

const establishPause = 100 * time.Millisecond

// establish gets a barrier of the term through, and all before it applied. A
// leader that can't write one is of no use, so it offers the lead to others
// and tries again.
func (n *Node) establish(ctx context.Context, term uint64) bool {
	for ctx.Err() == nil {
		err := n.establishRead()
		if err == nil && n.established.Load() == term {
			return true
		}
		if ctx.Err() != nil || n.raft.State() != raft.Leader {
			clock.Sleep(ctx, n.cfg.Clock, establishPause)
			continue
		}
		n.cfg.Log.Warn("could not establish leadership", "term", term, "err", err)
		if n.otherVoters() {
			_ = n.raft.LeadershipTransfer().Error() // if it fails, we still lead and try again
		}
		clock.Sleep(ctx, n.cfg.Clock, establishPause)
	}
	return false
}

// TransferLeadership hands the lead to another voter, if this node has it and
// there is one. It gives Unavailable if that fails.
func (n *Node) TransferLeadership() error {
	if n.raft.State() != raft.Leader || !n.otherVoters() {
		return nil
	}
	var err error
	for range 2 { // a transfer may fail while writes are in flight
		if err = n.raft.LeadershipTransfer().Error(); err == nil || n.raft.State() != raft.Leader {
			return nil
		}
	}
	return errs.E("raftnode.transfer", errs.Unavailable, "Leadership could not be handed over.", err)
}

func (n *Node) otherVoters() bool {
	all, err := n.Members()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(all, func(m Member) bool { return m.Voter && m.ID != n.cfg.NodeID })
}
