package command

// Expire removes what its time is over for: revocations of tokens that have
// expired by themselves, and confirmed tombstones, with their servers' actions,
// TombstoneKeep after the delete. It is the leader's duty.
//
// Rules: the actor is the leader. At most MaxExpired rows go at once; a
// tombstone goes after its last action.
type Expire struct{}

// Kind implements Command.
func (*Expire) Kind() string { return "expire/1" }
