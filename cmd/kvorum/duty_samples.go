package main

import (
	"maps"
	"slices"

	"github.com/kvorum/kvorum/api/operator"
)

// dutySamples are the numbers of what this node did while it led.
func (n *controlNode) dutySamples() []operator.Sample {
	c := n.duties.Read()
	total := func(name, help string, value float64, labels ...string) operator.Sample {
		return operator.Sample{Name: name, Help: help, Value: value, Labels: labels, Total: true}
	}
	out := []operator.Sample{total("scheduler_placed_total", "Servers that this node gave a host as the leader.", float64(c.Placed))}
	for _, reason := range slices.Sorted(maps.Keys(c.Refused)) {
		out = append(out, total("scheduler_refused_total", "Servers for which this node found no host as the leader, by the filter that refused the most hosts.",
			float64(c.Refused[reason]), "reason", reason))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Duties)) {
		d := c.Duties[name]
		out = append(out,
			total("leader_duty_runs_total", "How often a duty was asked.", float64(d.Runs), "duty", name),
			total("leader_duty_seconds_total", "Time that a duty took to decide.", d.Took.Seconds(), "duty", name))
		for _, o := range []struct {
			outcome string
			n       uint64
		}{{"done", d.Done}, {"void", d.Void}, {"failed", d.Failed}} {
			out = append(out, total("leader_commands_total", "A duty's commands: taken by the log, no longer true by then, or not got through.",
				float64(o.n), "duty", name, "outcome", o.outcome))
		}
	}
	return out
}
