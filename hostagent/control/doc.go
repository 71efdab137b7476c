// Package control is the agent's HTTP client to the control plane.
//
// Invariant: every call has a bound in bytes and in time, may be repeated, and
// ends with an error whose kind says whether repeating helps. A desired state
// that is handed on is what its digest says, whether it came whole or as a
// delta.
//
// It must not know what the agent does with the answers, nor how the control
// plane finds them.
package control
