package raftnode

import (
	"context"

	"github.com/kvorum/kvorum/internal/errs"
)

// Peers asks other nodes of the cluster what raft itself does not. Every call
// is made anew, after the method was called: an answer that was under way
// before proves nothing. Calls end with ctx.
type Peers interface {
	// Term is the present term of the node at address (its Node.Term).
	Term(ctx context.Context, address string) (uint64, error)
	// ConfirmRead is the answer of Node.ConfirmRead of the node at address.
	ConfirmRead(ctx context.Context, address string) (ReadPoint, error)
	// AppliedIndex is how far the node at address is (its Node.AppliedIndex).
	AppliedIndex(ctx context.Context, address string) (uint64, error)
}

// noPeers stands for the other nodes where there is no way to them.
type noPeers struct{}

func (noPeers) away() error {
	return errs.Errorf("raftnode.peers", errs.Unavailable, "This node has no way to ask others.")
}

// Term implements Peers.
func (p noPeers) Term(context.Context, string) (uint64, error) { return 0, p.away() }

// ConfirmRead implements Peers.
func (p noPeers) ConfirmRead(context.Context, string) (ReadPoint, error) {
	return ReadPoint{}, p.away()
}

// AppliedIndex implements Peers.
func (p noPeers) AppliedIndex(context.Context, string) (uint64, error) { return 0, p.away() }
