// Package assign holds what a host is told and what it answers: the type of
// the desired state of one host, with the items that it is made of and the
// changes between two of them, and of its report.
//
// Invariant: the same replicated state gives the same Desired, digest
// included; there is no counter that somebody has to remember to raise.
//
// It must not know the state machine, the drivers or the wire: it is the small
// vocabulary that the control plane and the host agent share, and it imports
// the standard library only.
package assign
