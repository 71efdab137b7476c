package raftnode

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
)

// Node is one running member of a cluster. All methods may be called
// concurrently.
type Node struct {
	cfg     Config
	raft    *raft.Raft
	machine *machine
	guard   *guard
	parts   *parts
	pipe    *pipe
	logs    raft.LogStore
	// leading are the read rounds of this node as the leader; asking those in
	// which it asks the leader.
	leading, asking *rounds
	// established is the term in which this node has got a barrier through.
	established atomic.Uint64
	proposal    lastProposal
	role        roleVar
	fatal       *tripwire

	stopRaft func() raft.Future

	closing   chan struct{} // closed first: nothing new is taken
	gone      chan struct{} // closed when raft has stopped: nothing will be answered any more
	roleDone  chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// Open starts the node whose folder Bootstrap or Prepare has made: it
// restores the newest snapshot, then takes part in the cluster. It gives
// NotFound without such a folder, Conflict if the folder belongs to another
// cluster, Invalid for a bad Config.
func Open(cfg Config) (*Node, error) {
	cfg.fill()
	if cfg.NodeID == "" || cfg.Machine == nil {
		return nil, errs.E("raftnode.open", errs.Invalid, "a node id and a state machine are needed", nil)
	}
	p := cfg.parts
	if p == nil {
		if err := cfg.checkCluster(); err != nil {
			return nil, err
		}
		var err error
		if p, err = openParts(&cfg, filepath.Join(cfg.Dir, raftDir)); err != nil {
			return nil, err
		}
	}
	n, err := start(cfg, p)
	if err != nil {
		_ = p.close() // the first error is the one to tell
		return nil, err
	}
	return n, nil
}

func start(cfg Config, p *parts) (*Node, error) {
	n := &Node{
		cfg:      cfg,
		parts:    p,
		fatal:    newTripwire(),
		role:     roleVar{changed: make(chan struct{})},
		closing:  make(chan struct{}),
		gone:     make(chan struct{}),
		roleDone: make(chan struct{}),
	}
	n.machine = &machine{sm: cfg.Machine, fatal: n.fatal}
	rc, err := cfg.raft()
	if err != nil {
		return nil, err
	}
	guard, logs, stable, err := p.guarded(&cfg, n.fatal)
	if err != nil {
		return nil, err
	}
	n.guard, n.logs = guard, logs
	if err := n.machine.elect.restored(p.snaps); err != nil {
		return nil, err
	}
	snaps := &divergeStore{SnapshotStore: p.snaps, log: guard, elect: &n.machine.elect, fatal: n.fatal}
	if n.raft, err = raft.NewRaft(rc, n.machine, logs, stable, snaps, p.trans); err != nil {
		return nil, errs.E("raftnode.open", errs.Internal, "raft does not start", err)
	}
	// Only the first call of Shutdown gives something to wait for.
	n.stopRaft = sync.OnceValue(n.raft.Shutdown)
	n.pipe = newPipe(n)
	n.leading, n.asking = newRounds(n.confirm), newRounds(n.ask)
	n.role.set(n.observeRole())
	go n.pipe.run()
	go n.leading.run(n.closing)
	go n.asking.run(n.closing)
	go n.watchRole()
	return n, nil
}

// ClusterID is the UUID of the cluster that this node belongs to.
func (n *Node) ClusterID() string { return n.cfg.ClusterID }

// NodeID is this node's own name.
func (n *Node) NodeID() string { return n.cfg.NodeID }

// Close stops the node in good order: it takes nothing new, waits until what
// is in flight has its outcome, hands the lead over if another voter can take
// it, and stops. Each step has CloseTimeout; the first that fails is
// reported, and the rest is done all the same. A lead that nobody took is only
// logged.
func (n *Node) Close() error {
	n.closeOnce.Do(n.close)
	return n.closeErr
}

func (n *Node) close() {
	close(n.closing)
	n.within("waiting for proposals", n.drain)
	before := n.closeErr
	n.within("handing the lead over", n.TransferLeadership)
	n.closeErr = before // that nobody could take it is told, and is no failure of this node
	stopped := n.within("stopping raft", func() error { return n.stopRaft().Error() })
	close(n.gone)
	<-n.roleDone
	if !stopped {
		return // something hangs in the store; closing it would hang as well
	}
	if err := n.parts.close(); err != nil && n.closeErr == nil {
		n.closeErr = errs.E("raftnode.close", errs.Internal, "", err)
	}
}

// drain waits until nothing is in flight. After a fatal error raft answers
// nothing any more.
func (n *Node) drain() error {
	drained := n.pipe.close()
	for _, done := range []<-chan struct{}{drained, n.leading.done, n.asking.done} {
		select {
		case <-done:
		case <-n.fatal.tripped:
		}
	}
	return nil
}

// within runs one step of Close and tells whether it ended in time.
func (n *Node) within(step string, f func() error) bool {
	done := make(chan error, 1)
	go func() { done <- f() }()
	var err error
	ended := true
	select {
	case err = <-done:
	case <-n.cfg.Clock.After(n.cfg.CloseTimeout):
		ended = false
		err = errs.Errorf("raftnode.close", errs.Internal, "%s took too long", step)
	}
	if err != nil {
		n.cfg.Log.Warn("while stopping", "step", step, "err", err)
		if n.closeErr == nil {
			n.closeErr = errs.E("raftnode.close", errs.Internal, "", err)
		}
	}
	return ended
}

// Snapshot takes a snapshot of the applied state now and compacts the log
// behind it. With nothing new to save it does nothing. It gives Unavailable
// if ctx ends first; the snapshot goes on then.
func (n *Node) Snapshot(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- n.raft.Snapshot().Error() }()
	select {
	case err := <-done:
		if err == nil || err == raft.ErrNothingNewToSnapshot {
			return nil
		}
		return errs.E("raftnode.snapshot", errs.Internal, "", err)
	case <-ctx.Done():
		return errs.E("raftnode.snapshot", errs.Unavailable, "The snapshot takes longer.", ctx.Err())
	}
}
