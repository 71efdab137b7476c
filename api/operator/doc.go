// Package operator is the front door of those who run the cloud: health,
// readiness and metrics; and, where only the node's owner comes, the verbs by
// which they look at the cluster and change who belongs to it.
//
// Invariant: Door never changes anything, and it answers even when nothing else
// does: no request there waits for the log or takes part in the API's limits.
//
// It is the only importer of the Prometheus client. What it shows comes from
// small structs that other packages fill; it must not know them.
package operator
