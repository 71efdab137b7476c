package peerapi

import (
	"github.com/kvorum/kvorum/internal/errs"
)

// Point is a place in the log up to which a node must have applied before a
// read on it is linearizable.
type Point struct {
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
}

// Status is how far a control node is, and what others need to know of it.
type Status struct {
	Term    uint64 `json:"term"`
	Applied uint64 `json:"applied"`
	Version string `json:"version,omitzero"`
	// Gossip is where the node gossips, host:port; empty if it does not.
	Gossip string `json:"gossip,omitzero"`
}

// Result is what became of a command in the log: the ids of what it made, or
// the refusal by its rules.
type Result struct {
	// Index is the command's place in the log; for a repeated one, its first.
	Index uint64
	IDs   []string
	Err   error
}

// answer is a Result, or a failure, as it is sent.
type answer struct {
	Index uint64   `json:"index,omitzero"`
	IDs   []string `json:"ids,omitempty"`
	Error *fault   `json:"error,omitzero"`
}

// fault is an error as it is sent: its kind, and the sentence for users.
type fault struct {
	Kind    string `json:"kind"`
	Message string `json:"message,omitzero"`
}

func faultOf(err error) *fault {
	f := &fault{Kind: errs.KindOf(err).String()}
	if m := errs.Message(err); m != errs.Message(nil) {
		f.Message = m
	}
	return f
}

// err is the fault as an error again.
func (f *fault) err(op string) error {
	kind, ok := errs.KindNamed(f.Kind)
	if !ok {
		// A newer node may know more kinds. What it means is open, so nothing may
		// be promised.
		kind = errs.Unknown
	}
	return errs.E(op, kind, f.Message, nil)
}
