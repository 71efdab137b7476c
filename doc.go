// Package kvorum holds no code: its tests are the laws of the house, each with
// its because.
//
// Invariant: a law that matters is a test here, not a sentence elsewhere.
package kvorum
