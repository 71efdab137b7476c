package raftnode

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
)

// Verdict says what became of a proposal. They are Jepsen's ok, fail and info.
type Verdict uint8

// The three verdicts. Unknown is the zero value: nothing is promised by
// accident.
const (
	// Unknown: it may be in the log, now or later. Propose it again with the
	// same id inside, so that the state machine can tell.
	Unknown Verdict = iota
	// Done: it is in the log of a majority and applied on this node.
	Done
	// Refused: it is not in the log and never will be.
	Refused
)

// String names the verdict.
func (v Verdict) String() string {
	return [...]string{"unknown", "done", "refused"}[v]
}

// Outcome is the answer to a proposal.
type Outcome struct {
	// Verdict says which of the other fields count.
	Verdict Verdict
	// Index is the entry's place in the log, if Done.
	Index uint64
	// Result is what the state machine answered, if Done.
	Result any
	// Err says why not, if not Done. Its Kind is Unknown for Unknown; else
	// Unavailable (no leader here), Busy (too many in flight) or TooLarge.
	Err error
}

func refused(kind errs.Kind, msg string, cause error) Outcome {
	return Outcome{Verdict: Refused, Err: errs.E("raftnode.propose", kind, msg, cause)}
}

func unknown(cause error) Outcome {
	return Outcome{Err: errs.E("raftnode.propose", errs.Unknown,
		"The request may or may not have been done; repeat it with the same id.", cause)}
}

// proposal is one that raft has taken.
type proposal struct {
	future raft.ApplyFuture
	done   chan Outcome // buffered: a proposer that gave up is not waited for
}

// pipe carries proposals into raft and their outcomes back.
//
// Stamping and handing over happen under one lock, so that times grow in the
// order of the log; the futures then resolve in that same order, so one
// goroutine can wait for all of them. Raft gets no more proposals at once than
// its queue holds, so that nobody waits for raft with the lock in hand.
type pipe struct {
	node     *Node
	inFlight atomic.Int64  // proposals that are waited for or that raft has
	slots    chan struct{} // one per proposal that raft has not answered
	pending  chan *proposal
	drained  chan struct{}
	// spare proposals are for the next proposer. Only one that has had its
	// outcome gives its own back: nobody else holds it then.
	spare sync.Pool

	mu     sync.Mutex
	closed bool
	lastAt int64
}

func newPipe(n *Node) *pipe {
	return &pipe{
		node:    n,
		slots:   make(chan struct{}, n.cfg.MaxBatch), // raft's queue has this room, by BatchApplyCh
		pending: make(chan *proposal, n.cfg.MaxBatch),
		drained: make(chan struct{}),
		spare:   sync.Pool{New: func() any { return &proposal{done: make(chan Outcome, 1)} }},
	}
}

// Propose asks for data to become an entry of the log and waits for its
// outcome, but no longer than ctx. It works on the leader only; elsewhere it
// is refused. ctx's deadline counts until the entry is handed to raft: one
// whose time is over by then is refused and not proposed late.
func (n *Node) Propose(ctx context.Context, data []byte) Outcome {
	if len(data) > n.cfg.MaxEntryBytes {
		return refused(errs.TooLarge, "The request is too large for one entry of the log.", nil)
	}
	if n.raft.State() != raft.Leader {
		return refused(errs.Unavailable, notLeader, nil)
	}
	prop, out := n.pipe.enter(ctx, data)
	if prop == nil {
		return out
	}
	select {
	case out := <-prop.done:
		n.pipe.spare.Put(prop)
		return out
	case <-ctx.Done():
		return unknown(ctx.Err())
	case <-n.fatal.tripped:
	case <-n.gone:
	}
	select {
	case out := <-prop.done: // both came; the outcome says more
		return out
	default:
		return unknown(errStopping)
	}
}

// enter waits for a slot and hands data to raft. Without a proposal, the
// outcome is final: raft never had it.
func (p *pipe) enter(ctx context.Context, data []byte) (*proposal, Outcome) {
	if p.inFlight.Add(1) > int64(p.node.cfg.MaxInFlight) {
		p.inFlight.Add(-1)
		return nil, refused(errs.Busy, "Too many requests are being written; try again.", nil)
	}
	if out, ok := p.slot(ctx); !ok {
		p.inFlight.Add(-1)
		return nil, out
	}
	prop, out := p.hand(ctx, data)
	if prop == nil {
		p.leave()
	}
	return prop, out
}

func (p *pipe) leave() {
	<-p.slots
	p.inFlight.Add(-1)
}

// slot waits until raft has room.
func (p *pipe) slot(ctx context.Context) (Outcome, bool) {
	select {
	case p.slots <- struct{}{}:
		return Outcome{}, true
	default:
	}
	select {
	case p.slots <- struct{}{}:
		return Outcome{}, true
	case <-ctx.Done():
		return refused(errs.Unavailable, outOfTime, ctx.Err()), false
	case <-p.node.closing:
		return refused(errs.Unavailable, stopping, nil), false
	case <-p.node.cfg.Clock.After(p.node.cfg.EnqueueTimeout):
		return refused(errs.Busy, "The log does not keep up; try again.", nil), false
	}
}

const (
	notLeader = "This node does not lead; another one may take the request."
	outOfTime = "The request's time ran out before it was written."
	stopping  = "This node is stopping."
)

var errStopping = errors.New("this node is stopping")

// hand stamps data and gives it to raft, if there is still time.
func (p *pipe) hand(ctx context.Context, data []byte) (*proposal, Outcome) {
	entry := encodeEntry(0, data)
	prop := p.spare.Get().(*proposal)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, refused(errs.Unavailable, stopping, nil)
	}
	if ctx.Err() != nil {
		return nil, refused(errs.Unavailable, outOfTime, ctx.Err())
	}
	p.lastAt = max(p.node.cfg.Clock.Now().UnixNano(), p.lastAt+1, p.node.machine.lastAt.Load()+1)
	stampEntry(entry, p.lastAt)
	prop.future = p.node.raft.Apply(entry, 0) // no timer: there is room
	p.pending <- prop                         // never blocks: each holds a slot, and there are as many
	return prop, Outcome{}
}

// run delivers outcomes in the order of the proposals until pending is
// closed and empty.
func (p *pipe) run() {
	defer close(p.drained)
	for prop := range p.pending {
		future := prop.future
		prop.future = nil
		err := future.Error()
		prop.done <- outcome(future, err)
		p.leave()
	}
}

// outcome maps what raft said. Only what raft answers before it has touched
// its log is a refusal. A failed write of the log is not: the bytes may be on
// the disk, and come back after a restart.
func outcome(f raft.ApplyFuture, err error) Outcome {
	switch {
	case err == nil:
		if h, ok := f.Response().(halt); ok {
			return unknown(h.err)
		}
		return Outcome{Verdict: Done, Index: f.Index(), Result: f.Response()}
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return refused(errs.Unavailable, notLeader, err)
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return refused(errs.Busy, "The log does not keep up; try again.", err)
	case errors.Is(err, raft.ErrAbortedByRestore):
		return refused(errs.Unavailable, "The state was restored from a backup meanwhile.", err)
	}
	return unknown(err)
}

// close lets no further proposal in and tells when all have their outcome.
// It needs node.closing to be closed.
func (p *pipe) close() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	close(p.pending)
	return p.drained
}
