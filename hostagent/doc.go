// Package hostagent makes the guests of one host match what the control plane
// wants of it, and says what it sees.
//
// A guest's turn is always the same: look at it, ask Rules.Next for ONE step,
// store the guest's record, do the step, look again. What woke the turn (a new
// desired state, a hypervisor event, a timer, a restart) carries no data, so
// the rare paths are the common path.
//
// Invariant: nothing is done that is not in the ledger first, and no guest is
// started except under the permit that a desired state names which was confirmed
// under the lease that the host still holds.
//
// It must not know the state machine, raft, any API's wire format, or how a
// hypervisor or a kernel is driven: those are behind Driver, Network, Images
// and Control.
package hostagent
