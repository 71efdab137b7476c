package faultnet

import "context"

// Network is a network whose faults can be set while it runs. Switch is one;
// Filter is another, which can do less.
type Network interface {
	// Apply sets rules, all of them or, on an error, none. A rule takes the
	// place of an earlier one of the same pair and match; one without a fault
	// takes it away. Once it has returned, every packet meets the new rules.
	// Invalid if a rule makes no sense, NotFound if it names nobody,
	// Unsupported if this network cannot do that fault.
	Apply(ctx context.Context, rules ...Rule) error
	// Heal takes all rules away. The counters stay.
	Heal(ctx context.Context) error
	// Counters tell what has become of the packets of each pair so far.
	Counters(ctx context.Context) (map[Pair]Counts, error)
}
