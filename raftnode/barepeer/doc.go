// Package barepeer is hashicorp/raft with as little around it as it runs
// with: the peer that raftnode is measured against. It lives here because
// only raftnode's tree may import that library.
//
// Invariant: it uses the same library, log store, store options and batch
// settings as raftnode, so that a difference in speed is raftnode's own.
//
// It must not know raftnode's entries, guards or outcomes.
package barepeer
