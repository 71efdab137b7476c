// Package agentapi is the front door of the host agents: they register, watch
// what they are assigned, fetch images and report what they see.
//
// Invariant: a desired state that is handed out was computed from a view that
// is at least as new as the moment it was handed out for (a read point), so an
// agent may start guests on it; and every call of a host renews its lease.
// "Unchanged" and deltas are such answers too. What is remembered of a host are
// digests, never what it is told: there are secrets in it.
//
// Agents prove themselves by the cluster's agent secret. It must not know any
// OpenStack API.
package agentapi
