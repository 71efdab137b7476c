// Package mutants holds broken Kvorums: each is the product with one mistake
// that somebody could have made. The fault harness must catch every one of them;
// what it does not catch, it would not catch in the product either.
//
// A mutant is an edit of a source file, put over the source when the program is
// built (go build -overlay): nothing of it is in the product's tree.
//
// Invariant: every edit fits the source as it is, in exactly one place (a
// test looks).
package mutants
