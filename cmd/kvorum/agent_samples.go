package main

import (
	"maps"
	"slices"

	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
)

// samples are the agent's own numbers.
func (a *agent) samples() []operator.Sample { return agentSamples(a.agent.Read()) }

// agentStates are shown also while no guest is in them: a series that comes
// and goes is hard to watch.
var agentStates = []assign.State{assign.Running, assign.Shutoff, assign.Paused, assign.Crashed, assign.Missing}

func agentSamples(r hostagent.Reading) (out []operator.Sample) {
	add := func(total bool, name, help string, value float64, labels ...string) {
		out = append(out, operator.Sample{Name: "agent_" + name, Help: help, Value: value, Labels: labels, Total: total})
	}
	for _, s := range agentStates {
		add(false, "guests", "Guests by what the host last saw of them.", float64(r.States[s]), "state", string(s))
	}
	add(false, "quarantined_guests", "Guests on this host that nobody wants here; they are left alone.", float64(r.Quarantined))
	steps := slices.Concat(slices.Collect(maps.Keys(r.Steps)), slices.Collect(maps.Keys(r.Failures)))
	slices.Sort(steps)
	for _, kind := range slices.Compact(steps) {
		const help = "Steps that were taken for guests, by kind and outcome."
		add(true, "steps_total", help, float64(r.Steps[kind]), "step", string(kind), "outcome", "done")
		add(true, "steps_total", help, float64(r.Failures[kind]), "step", string(kind), "outcome", "failed")
	}
	if r.Heard {
		add(false, "control_silence_seconds", "How long ago the control plane was heard.", r.Silence.Seconds())
	}
	confirmed := 0.0
	if r.Confirmed {
		confirmed = 1
	}
	add(false, "confirmed", "1 if the control plane has confirmed what the host is assigned, since the agent started.", confirmed)
	held := 0.0
	if r.LeaseHeld {
		held = 1
	}
	add(false, "lease_held", "1 while the host holds its lease.", held)
	add(true, "lease_begun_total", "Times that the lease was had anew.", float64(r.Lease.Begun))
	for outcome, n := range map[string]uint64{"granted": r.Lease.Granted, "denied": r.Lease.Denied, "failed": r.Lease.Failed} {
		add(true, "lease_renewals_total", "Renewals of the lease, by what a voter said.", float64(n), "outcome", outcome)
	}
	add(false, "ledger_index", "Index of the state that the host's assignment was made from.", float64(r.Index))
	add(false, "image_cache_bytes", "Bytes of images in the cache.", float64(r.ImageBytes))
	add(false, "unreported_guests", "Guests with something that the control plane was not told yet.", float64(r.Pending))
	add(true, "turn_failures_total", "Turns of guests that failed before they could decide.", float64(r.Troubles))
	add(true, "network_failures_total", "Times that the network could not be made as it is assigned.", float64(r.NetworkFailures))
	add(true, "assignments_total", "Assignments from the control plane.", float64(r.Accepted), "outcome", "accepted")
	add(true, "assignments_total", "Assignments from the control plane.", float64(r.Refused), "outcome", "refused")
	add(true, "control_failures_total", "Questions that the control plane did not answer.", float64(r.Away))
	add(true, "reported_guests_total", "Guests that the control plane was told of.", float64(r.Reported), "outcome", "taken")
	add(true, "reported_guests_total", "Guests that the control plane was told of.", float64(r.Dropped), "outcome", "refused")
	return out
}
