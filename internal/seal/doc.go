// Package seal keeps secrets out of the log: what is secret is sealed by the
// proposer under the cluster's data key before it becomes part of a command.
//
// Invariant: the data key never leaves this package, and never enters the log,
// a snapshot or a backup of them; what was sealed cannot be changed unnoticed.
package seal
