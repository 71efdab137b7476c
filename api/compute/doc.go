// Package compute is the front door of the Compute API v2.1 (Nova), up to
// microversion 2.19.
//
// Invariant: it is the only package that knows Nova's JSON; every field is sent
// at exactly the microversions that have it, and what is asked for and not
// offered is refused, never ignored.
//
// It must not know how a command is carried out.
package compute
