// Package peerapi is what control nodes ask each other beside raft: for the
// term in a read round, for a read point, to put a command in the log, for the
// bytes of an image. Door answers, Client asks.
//
// Invariant: a call travels one hop. Whoever is asked answers from what it is
// itself, or refuses; it never asks a third node. And an outcome stays honest
// on the way: what broke off after it was sent is unknown.
//
// Who may ask is decided before a request comes here: the port's TLS lets in
// control nodes of this cluster only. It must not know what a command means,
// nor raft.
package peerapi
