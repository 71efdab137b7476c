package command

// StateCheckpoint says what the leader's state hashed to at an index, so that
// every node can compare and a diverged one stops. It is the leader's duty.
//
// Rules: the actor is the leader; the index is an earlier one. It changes
// nothing; the state machine does the comparing.
type StateCheckpoint struct {
	Index uint64 `json:"index"`
	// Schema is the leader's state.SnapshotVersion: nodes of another one do not
	// compare.
	Schema int    `json:"schema"`
	Hash   string `json:"hash"`
}

// Kind implements Command.
func (*StateCheckpoint) Kind() string { return "state.checkpoint/1" }
