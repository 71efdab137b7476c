// Package errs holds the one error type of the program.
//
// Invariant: the list of Kinds is closed, and everything that depends on a
// Kind (HTTP status, "may I try again") is a table over that list, so an
// error keeps its meaning across packages, the log and the wire.
//
// It must not know any API's wire format: those turn a Kind into their own
// fault bodies.
package errs
