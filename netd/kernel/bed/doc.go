// Package bed lays out a little rack for tests of the real kernel: a network
// namespace that plays the host, guests that are namespaces behind a link with
// a tap's name, and an outside.
//
// Invariant: whatever a test does, all that the bed made, and all namespaces
// that bear its prefix, are gone when the test ends.
//
// It must not know what netd plans. Needs root and the ip command.
package bed
