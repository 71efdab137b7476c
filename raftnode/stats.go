package raftnode

import (
	"strconv"
	"time"

	"github.com/hashicorp/raft"
)

// Stats is a look at a node, for metrics and people. The fields are read one
// after the other and need not fit together.
type Stats struct {
	// Role is what this node is, with the term.
	Role Role
	// LastIndex is the end of this node's log, CommitIndex what it knows to be
	// committed, AppliedIndex what its state machine has applied, and
	// SnapshotIndex what its newest snapshot holds.
	LastIndex, CommitIndex, AppliedIndex, SnapshotIndex uint64
	// LastContact is how long ago a leader was heard; 0 on the leader, and -1
	// if never.
	LastContact time.Duration
	// Voters and Nonvoters count the members of the cluster.
	Voters, Nonvoters int
	// InFlight is how many proposals wait for their outcome.
	InFlight int
	// ReadRounds counts the read rounds sent.
	ReadRounds uint64
	// Writes tells of the disk under the log.
	Writes WriteStats
}

// Stats looks at the node.
func (n *Node) Stats() Stats {
	s := Stats{
		Role:         n.Role(),
		LastIndex:    n.raft.LastIndex(),
		CommitIndex:  n.raft.CommitIndex(),
		AppliedIndex: n.AppliedIndex(),
		LastContact:  -1,
		InFlight:     int(n.pipe.inFlight.Load()),
		ReadRounds:   n.leading.count() + n.asking.count(),
		Writes:       n.guard.stats(),
	}
	// Raft tells this one only as text.
	s.SnapshotIndex, _ = strconv.ParseUint(n.raft.Stats()["last_snapshot_index"], 10, 64)
	if s.Role.State == Leader {
		s.LastContact = 0
	} else if last := n.raft.LastContact(); !last.IsZero() {
		s.LastContact = n.cfg.Clock.Now().Sub(last)
	}
	if f := n.raft.GetConfiguration(); f.Error() == nil {
		for _, server := range f.Configuration().Servers {
			if server.Suffrage == raft.Voter {
				s.Voters++
			} else {
				s.Nonvoters++
			}
		}
	}
	return s
}
