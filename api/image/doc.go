// Package image is the front door of the Image API v2 (Glance).
//
// Invariant: an image becomes active only after its bytes were stored, hashed
// and looked at: what is not of the declared format, or refers to anything
// outside itself, is refused before any other program sees it. Bytes that an
// image names are never deleted here.
//
// It is the only package that knows Glance's JSON. What this cloud does not do
// (import, members, deactivation) is answered with 501, never with a pretence.
//
// It must not know how a command is carried out, nor where bytes lie.
package image
