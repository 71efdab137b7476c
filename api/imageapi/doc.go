// Package imageapi carries images' bytes between control nodes: Door gives and
// takes them, Client fetches and pushes.
//
// Invariant: what is taken is stored only if it hashes to the name that it came
// with, and is on the disk when the answer says so. Who may ask is decided
// before a request comes here: the port's TLS lets in control nodes of this
// cluster only.
//
// It must not know which images there are.
package imageapi
