// Package raftnode turns a state machine into a replicated one: it keeps the
// log on disk, takes part in elections, orders proposals, and hands every
// committed entry, in order and once, to the StateMachine it was given. It is
// the only importer of hashicorp/raft and its stores.
//
// Invariant: an Outcome is honest. Done means that the entry is on the disks
// of a majority and applied here; Refused means that it never was nor will be
// in the log; everything else is Unknown.
//
// It must not know what an entry says: to it a proposal is bytes and a result
// is any value. It must not know HTTP, nor what leading is good for.
//
//	node, err := raftnode.Open(cfg)            // after one Bootstrap in the life of the cluster
//	out := node.Propose(ctx, commandBytes)     // done, refused or unknown
//	point, err := node.ReadBarrier(ctx)        // what is read now is linearizable
package raftnode
