// Command kvorum is the whole program: control node, host agent and the tools
// of those who run them.
//
// Invariant: this package wires parts together and decides nothing; whatever
// can be tested without a process lies elsewhere.
package main
