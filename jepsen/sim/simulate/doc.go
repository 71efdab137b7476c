// Command simulate runs the whole cluster from seeds, in one thread each.
//
//	simulate -seed 7          replay one seed and show its film
//	simulate -n 200           run 200 new seeds
//	simulate -seed 7 -break new-id
//
// Invariant: one seed shows one film, byte for byte.
package main
