package raftnode

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
)

// ReadPoint is a place in the log of which the leader was sure, at some moment
// after it was asked for, that it was the end of what is committed.
type ReadPoint struct {
	// Index is the last proposal before the point. A node that has applied it
	// may answer from its own state.
	Index uint64
	// Term is the term in which the point was found.
	Term uint64
}

// Term is the term that this node is in. It answers the question that a
// leader asks in a read round: a leader of a later term needs a majority that
// has moved there before.
func (n *Node) Term() uint64 { return n.raft.CurrentTerm() }

// ReadBarrier waits until a read on this node is linearizable: whatever was
// done anywhere before the call is applied here when it returns. Concurrent
// callers share a round. When no leader can be confirmed, when ctx ends or the
// node stops, it gives Unavailable.
func (n *Node) ReadBarrier(ctx context.Context) (ReadPoint, error) {
	r := n.asking
	if n.raft.State() == raft.Leader {
		r = n.leading
	}
	point, err := n.share(ctx, r)
	if err != nil {
		return ReadPoint{}, err
	}
	return point, n.WaitApplied(ctx, point.Index)
}

// ConfirmRead finds a read point on behalf of another node. It works on the
// leader only, and gives Unavailable elsewhere: a question travels one hop.
func (n *Node) ConfirmRead(ctx context.Context) (ReadPoint, error) { return n.share(ctx, n.leading) }

// share waits for a round that was not sent when the call began.
func (n *Node) share(ctx context.Context, rounds *rounds) (ReadPoint, error) {
	const op = "raftnode.read"
	if err := ctx.Err(); err != nil {
		return ReadPoint{}, errs.E(op, errs.Unavailable, "The request's time ran out.", err)
	}
	r := rounds.join()
	select {
	case <-r.done:
		return r.point, r.err
	case <-ctx.Done():
		return ReadPoint{}, errs.E(op, errs.Unavailable, "The request's time ran out.", ctx.Err())
	case <-n.fatal.tripped:
	case <-n.closing:
	}
	return ReadPoint{}, errs.E(op, errs.Unavailable, "This node is stopping.", nil)
}

// ask is one round of a node that does not lead: the leader confirms for it.
func (n *Node) ask() (ReadPoint, error) {
	_, leader := n.Leader()
	if leader == "" || leader == n.cfg.Address {
		return ReadPoint{}, errs.Errorf("raftnode.read", errs.Unavailable, "This node knows of no leader now; try again.")
	}
	ctx, cancel := n.roundTime()
	defer cancel()
	point, err := n.cfg.Peers.ConfirmRead(ctx, leader)
	if err != nil {
		return ReadPoint{}, errs.E("raftnode.read", errs.Unavailable, "The leader could not be asked; try again.", err)
	}
	return point, nil
}

// roundTime bounds one read round: a voter that has not answered within an
// election timeout may as well be gone.
func (n *Node) roundTime() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-n.cfg.Clock.After(n.cfg.ElectionTimeout):
		case <-n.closing:
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx, cancel
}

// confirm is one round of the leader: it notes how far the log is committed,
// and then asks every voter for its term, in calls sent after that. When a
// majority is still in this one, no other leader had committed anything beyond
// the noted index at the moment when it was noted. (Raft's own VerifyLeader
// will not do: an answer to an earlier heartbeat counts for it, so that a
// leader that was paused can be confirmed after it was deposed.)
func (n *Node) confirm() (ReadPoint, error) {
	const op = "raftnode.confirm"
	if err := n.establishRead(); err != nil {
		return ReadPoint{}, err
	}
	before := n.observeRole()
	if before.State != Leader || n.established.Load() != before.Term {
		return ReadPoint{}, errs.Errorf(op, errs.Unavailable, notLeader)
	}
	commit := n.raft.CommitIndex()
	if err := n.majorityIn(before.Term); err != nil {
		return ReadPoint{}, err
	}
	if now := n.observeRole(); now.State != Leader || now.Term != before.Term {
		return ReadPoint{}, errs.Errorf(op, errs.Unavailable, notLeader)
	}
	if err := n.machine.stopped(); err != nil {
		return ReadPoint{}, errs.E(op, errs.Unavailable, "This node is stopping.", err)
	}
	index, err := n.proposalAt(commit)
	return ReadPoint{Index: index, Term: before.Term}, err
}

// establishRead makes sure that a barrier of this leader's own term is
// through: until then its commit index may lie behind what earlier leaders
// have acknowledged.
func (n *Node) establishRead() error {
	role := n.observeRole()
	if role.State != Leader {
		return errs.Errorf("raftnode.confirm", errs.Unavailable, notLeader)
	}
	if n.established.Load() == role.Term {
		return nil
	}
	if err := n.raft.Barrier(n.cfg.EnqueueTimeout).Error(); err != nil {
		return errs.E("raftnode.confirm", errs.Unavailable, "No leader could be confirmed; try again.", err)
	}
	// The barrier was written by a leader; if the term is still the same, it
	// was of this one.
	if now := n.observeRole(); now.State == Leader && now.Term == role.Term {
		n.established.Store(role.Term)
	}
	return nil
}

// majorityIn asks the voters for their terms, all at once, and waits until a
// majority of them, this node included, has answered exactly term.
func (n *Node) majorityIn(term uint64) error {
	const op = "raftnode.confirm"
	all, err := n.Members()
	if err != nil {
		return err
	}
	ctx, cancel := n.roundTime()
	defer cancel()
	voters, agreed := 0, 0
	answers := make(chan bool, len(all))
	for _, m := range all {
		if !m.Voter {
			continue
		}
		voters++
		if m.ID == n.cfg.NodeID {
			answers <- true
			continue
		}
		go func() {
			t, err := n.cfg.Peers.Term(ctx, m.Address)
			answers <- err == nil && t == term
		}()
	}
	for range voters {
		if <-answers {
			agreed++
		}
		if agreed > voters/2 {
			return nil
		}
	}
	return errs.Errorf(op, errs.Unavailable, "No majority of the control nodes confirms this leader; try again.")
}

// lastProposal remembers what proposalAt found, so that it never walks the
// same entries twice.
type lastProposal struct {
	mu          sync.Mutex
	upTo, index uint64
}

// proposalAt gives the index of the last proposal at or before commit, which
// must be committed. Raft keeps entries of its own in the same log, and never
// tells when it is past one of those; so only a proposal can be waited for.
func (n *Node) proposalAt(commit uint64) (uint64, error) {
	l := &n.proposal
	l.mu.Lock()
	defer l.mu.Unlock()
	if commit <= l.upTo {
		return l.index, nil // a little later than asked for is as good
	}
	for i := commit; i > l.upTo; i-- {
		var e raft.Log
		err := n.logs.GetLog(i, &e)
		if errors.Is(err, raft.ErrLogNotFound) {
			// All from here down is in a snapshot, and so it is applied.
			l.upTo, l.index = commit, max(l.index, min(commit, n.AppliedIndex()))
			return l.index, nil
		}
		if err != nil {
			return 0, errs.E("raftnode.confirm", errs.Internal, "", err)
		}
		if e.Type == raft.LogCommand {
			l.upTo, l.index = commit, i
			return i, nil
		}
	}
	l.upTo = commit
	return l.index, nil
}
