// Package fakekernel is a kernel in memory for netd's plans: it carries out
// Ops with the refusals that the real one has, prints itself as text, and can
// be told to refuse the k-th Op.
//
// Invariant: what the real kernel refuses of a plan (a name that is not
// there, a route by a link that is down, a chain whose hook changes in
// place), this one refuses too; else a plan that passes here means nothing.
//
// It must not know how a plan is made.
package fakekernel
