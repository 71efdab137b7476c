// Command run lets the fault harness look for the mistakes of every mutant:
// make jepsen-mutants.
//
// Invariant: it ends with 0 only if each of them was caught.
//
//	run -m read-locally -duration 20s
package main
