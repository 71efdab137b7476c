// Package replica keeps images' bytes on every control node: what is uploaded
// at one is pushed to a majority before the image counts as there, and the
// others fetch what they lack.
//
// Invariant: bytes get their name here only when they hash to it, wherever they
// came from; and bytes that an image names, or may be about to, are never
// removed.
//
// It must not know what an image record is: it is told which bytes are wanted.
package replica
