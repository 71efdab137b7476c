// Command jepsen runs the fault harness: make jepsen.
//
// Invariant: it ends with 0 only if no run showed that a promise is broken.
//
//	jepsen -t T4 -seed 7 -duration 60s
package main
