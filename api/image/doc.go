// Package image is the front door of the Image API v2 (Glance).
//
// Invariant: an image becomes active only after its bytes were stored, hashed
// and looked at: what is not of the declared format, or refers to anything
// outside itself, is refused before any other program sees it.
//
// It is the only package that knows Glance's JSON.
package image
