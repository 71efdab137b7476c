package main

import (
	"context"
	"time"

	"github.com/kvorum/kvorum/api/peerapi"
	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/failpoint"
	"github.com/kvorum/kvorum/raftnode"
)

// patience is how long a request waits for a leader when there is none: some
// elections.
const patience = 8 * time.Second

// retryPause is how long a request waits before it looks for a leader again,
// unless this node learns of another one sooner.
const retryPause = 100 * time.Millisecond

// cluster is the control node as the front doors use it: it reads at a read
// point of the whole cluster, and takes commands to whoever leads.
type cluster struct {
	raft    *raftnode.Node
	machine *fsm.Machine
	peers   *peerapi.Client
	clock   clock.Clock
	// gossip is where this node gossips; empty if it does not.
	gossip func() string
}

// Read implements rest.Cluster.
func (c *cluster) Read(ctx context.Context) (state.View, error) {
	err := c.insist(ctx, true, func() error {
		_, err := c.raft.ReadBarrier(ctx)
		return err
	})
	if err != nil {
		return state.View{}, errs.E("cluster.read", errs.Unavailable, "This control node has no leader now: try again, or another node.", err)
	}
	return c.machine.View(), nil
}

// Propose implements rest.Cluster. A command with an id is offered again when
// its outcome is open, as after the death of a leader: the state machine gives
// a repeated one its first answer.
func (c *cluster) Propose(ctx context.Context, e command.Envelope) (rest.Done, error) {
	data, err := command.Encode(e)
	if err != nil {
		return rest.Done{}, err
	}
	var res peerapi.Result
	err = c.insist(ctx, e.ID != "", func() (err error) {
		res, err = c.offer(ctx, data)
		return err
	})
	if err != nil {
		return rest.Done{}, err
	}
	if err := c.raft.WaitApplied(ctx, res.Index); err != nil {
		return rest.Done{}, errs.E("cluster.propose", errs.Unknown, "", err)
	}
	if res.Err != nil {
		return rest.Done{}, res.Err
	}
	return rest.Done{Index: res.Index, IDs: res.IDs, View: c.machine.View()}, nil
}

// insist tries until the cluster has taken the request, for as long as it
// helps: while there is no leader, and, if the request may be repeated, while
// it is not known what became of it. Once it was not known, a later refusal to
// take the request proves nothing.
func (c *cluster) insist(ctx context.Context, repeatable bool, try func() error) error {
	began := c.clock.Mono()
	open := false
	for {
		_, changed := c.raft.WatchRole()
		err := try()
		kind := errs.KindOf(err)
		if err == nil {
			return nil
		}
		open = open || kind == errs.Unknown
		again := kind == errs.Unavailable || kind == errs.Unknown && repeatable
		if !again || ctx.Err() != nil || c.clock.Mono()-began > patience {
			if open {
				err = errs.E("cluster.insist", errs.Unknown, "", err)
			}
			return err
		}
		select {
		case <-changed:
		case <-c.clock.After(retryPause):
		case <-ctx.Done():
		}
	}
}

// offer takes an encoded command to the leader, here or elsewhere.
func (c *cluster) offer(ctx context.Context, data []byte) (peerapi.Result, error) {
	id, address := c.raft.Leader()
	switch {
	case id == c.raft.NodeID():
		return c.Offer(ctx, data)
	case address == "":
		return peerapi.Result{}, errs.Errorf("cluster.offer", errs.Unavailable, "This control node has no leader now: try again, or another node.")
	}
	if err := failpoint.Hit(ctx, failpoint.ForwardBefore); err != nil {
		return peerapi.Result{}, errs.E("cluster.offer", errs.Unavailable, "", err)
	}
	res, err := c.peers.Offer(ctx, address, data)
	if lost := failpoint.Hit(ctx, failpoint.ForwardAfter); lost != nil {
		return peerapi.Result{}, errs.E("cluster.offer", errs.Unknown, "", lost)
	}
	return res, err
}

// Offer implements peerapi.Node.
func (c *cluster) Offer(ctx context.Context, data []byte) (peerapi.Result, error) {
	out := c.raft.Propose(ctx, data)
	if out.Verdict != raftnode.Done {
		return peerapi.Result{}, out.Err
	}
	if err := failpoint.Hit(ctx, failpoint.ReplyBefore); err != nil {
		return peerapi.Result{}, errs.E("cluster.offer", errs.Unknown, "", err)
	}
	res, ok := out.Result.(fsm.Result)
	if !ok {
		return peerapi.Result{}, errs.Errorf("cluster.offer", errs.Unknown, "")
	}
	return peerapi.Result{Index: out.Index, IDs: res.IDs, Err: res.Err}, nil
}

// Confirm implements peerapi.Node.
func (c *cluster) Confirm(ctx context.Context) (peerapi.Point, error) {
	p, err := c.raft.ConfirmRead(ctx)
	return peerapi.Point(p), err
}

// Status implements peerapi.Node.
func (c *cluster) Status() peerapi.Status {
	return peerapi.Status{Term: c.raft.Term(), Applied: c.raft.AppliedIndex(), Version: version, Gossip: c.gossip()}
}

// duty proposes a command of the leader's own. It has no id: it may run twice.
func (c *cluster) duty(ctx context.Context, by command.By, cmd command.Command) error {
	_, err := c.Propose(ctx, command.Envelope{By: by, Command: cmd})
	return err
}

// raftPeers asks the other nodes on raft's behalf.
type raftPeers struct{ *peerapi.Client }

// ConfirmRead implements raftnode.Peers.
func (p raftPeers) ConfirmRead(ctx context.Context, address string) (raftnode.ReadPoint, error) {
	point, err := p.Confirm(ctx, address)
	return raftnode.ReadPoint(point), err
}
