// Package resttest is a whole control plane in one process for tests of front
// doors: a state machine that checks every invariant after each command, a
// clock that stands still, a shell, and tokens that are names.
//
// Invariant: a request goes through the very shell, encoding and Apply that a
// control node uses; only raft, the token's cryptography and time are missing.
//
// It must not know any API.
//
//	w := resttest.New(t)
//	w.Front(compute.Dialect("/compute"), door.Routes())
//	a := w.Do("GET", "/compute/v2.1/servers", resttest.Member, nil, "")
package resttest
