// Package operator is the front door of those who run the cloud: health,
// readiness and metrics.
//
// Invariant: it never changes anything, and it answers even when nothing else
// does: no request here waits for the log or takes part in the API's limits.
//
// It is the only importer of the Prometheus client. What it shows comes from
// small structs that other packages fill; it must not know them.
package operator
