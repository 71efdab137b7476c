package hostagent

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// metrics writes the counters in Prometheus' text format: a handful of numbers
// without a histogram, for which a library would be more than what it replaces.
func (a *Agent) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	writeMetrics(w, a.Counts())
}

func writeMetrics(w io.Writer, n Counts) {
	held := 0
	if n.LeaseHeld {
		held = 1
	}
	for _, m := range []struct {
		name, kind, help string
		value            uint64
	}{
		{"lease_held", "gauge", "1 while the host holds its lease.", uint64(held)},
		{"lease_granted_total", "counter", "Renewals that a voter granted.", n.Lease.Granted},
		{"lease_denied_total", "counter", "Renewals that a voter did not grant.", n.Lease.Denied},
		{"lease_failed_total", "counter", "Renewals that nobody answered.", n.Lease.Failed},
		{"lease_begun_total", "counter", "Times that the lease was had anew.", n.Lease.Begun},
		{"guests", "gauge", "Guests on this host.", uint64(n.Guests)},
		{"guests_quarantined", "gauge", "Guests on this host that nobody wants here.", uint64(n.Quarantined)},
		{"desired_accepted_total", "counter", "Desired states that were taken.", n.Accepted},
		{"desired_refused_total", "counter", "Desired states that were refused.", n.Refused},
		{"control_away_total", "counter", "Polls that did not reach the control plane.", n.Away},
		{"reports_total", "counter", "Guests whose state was reported.", n.Reported},
		{"reports_dropped_total", "counter", "Reports that the control plane refused.", n.Dropped},
		{"network_failures_total", "counter", "Applications of the network that failed.", n.NetworkFailures},
		{"turn_troubles_total", "counter", "Turns that failed before they could decide.", n.Troubles},
	} {
		name := "kvorum_agent_" + m.name
		// The reader went away: nothing to be done.
		_, _ = fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", name, m.help, name, m.kind, name, m.value)
	}
	writeSteps(w, "steps_total", "Steps that were done, by kind.", n.Steps)
	writeSteps(w, "step_failures_total", "Steps that failed, by kind.", n.Failures)
}

func writeSteps(w io.Writer, name, help string, n map[StepKind]uint64) {
	name = "kvorum_agent_" + name
	_, _ = fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s counter\n", name, help, name)
	for _, kind := range slices.Sorted(maps.Keys(n)) {
		_, _ = fmt.Fprintf(w, "%s{step=%q} %d\n", name, kind, n[kind])
	}
}
