package raftnode

// CurrentTerm is the term that this node's vote store has: whoever was answered
// in it is never answered in an earlier one, by a restarted node neither.
func (n *Node) CurrentTerm() uint64 { return n.raft.CurrentTerm() }
