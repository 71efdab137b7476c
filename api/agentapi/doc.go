// Package agentapi is the front door of the host agents: they register, renew
// their leases, watch what they are assigned, fetch images and report what they
// see.
//
// Invariant: a desired state that is handed out was computed from a view that
// is at least as new as the moment it was handed out for (a read point), so an
// agent may start guests on it. A lease is renewed by the call that is for it
// and by no other, and with this node alone: it needs no leader.
//
// Agents prove themselves by the cluster's agent secret. It must not know any
// OpenStack API.
package agentapi
