// Package agentapi is the front door of the host agents: they register, renew
// their leases, watch what they are assigned, fetch images and report what they
// see.
//
// Invariant: a desired state that is handed out was computed from a view that
// is at least as new as the moment it was handed out for (a read point), so an
// agent may start guests on it. "Unchanged" and deltas are such answers too. A
// lease is renewed by the call that is for it and by no other, and with this
// node alone: it needs no leader.
//
// What is remembered of a host are digests, never what it is told: there are
// secrets in it.
//
// A host is who its certificate says, and speaks for itself only; while one
// machine holds its lease, another one with the same certificate is not heard.
// It must not know any OpenStack API.
package agentapi
