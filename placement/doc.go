// Package placement chooses the host of a server.
//
// Invariant: Place is a pure function of its input: the same hosts and the
// same request give the same decision on every node and in every test. Ties
// break by a hash of the request and the host, which spreads servers without
// chance.
//
// It must not know the state, the log or the clock; it takes plain hosts.
package placement
