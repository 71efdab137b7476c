package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Counts say how much a run did: what it exercised, and that its faults had
// effect.
type Counts struct {
	// Commits are log entries, Refused those of them that were.
	Commits, Refused int
	// Requests are users' requests, Retries further attempts at one.
	Requests, Retries int
	// Leaders is how often the lead went to another node, or to the same one in
	// another term.
	Leaders int
	// Starts are guests that began to run, Placed and Deleted are servers.
	Starts, Placed, Deleted int
	// Called and Revived are verdicts on hosts: down, and up again.
	Called, Revived int
	// Restores are snapshots that were installed, Compared are states compared
	// with another node's.
	Restores, Compared int
	// Faults are by name; each counted when it had effect.
	Faults map[string]int
}

func (c *Counts) fault(name string) {
	if c.Faults == nil {
		c.Faults = map[string]int{}
	}
	c.Faults[name]++
}

// FaultSum is how many faults had effect.
func (c Counts) FaultSum() (sum int) {
	for _, n := range c.Faults {
		sum += n
	}
	return sum
}

// String gives all counts in one line.
func (c Counts) String() string {
	s := fmt.Sprintf("commits=%d refused=%d requests=%d retries=%d leaders=%d starts=%d placed=%d deleted=%d called=%d revived=%d restores=%d compared=%d faults=%d",
		c.Commits, c.Refused, c.Requests, c.Retries, c.Leaders, c.Starts, c.Placed, c.Deleted, c.Called, c.Revived, c.Restores, c.Compared, c.FaultSum())
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Faults)) {
		parts = append(parts, fmt.Sprintf("%s:%d", name, c.Faults[name]))
	}
	return s + " (" + strings.Join(parts, " ") + ")"
}

// The least that a run must have of what every promise stands on.
const (
	minCommits = 300
	minLeaders = 2
)

// tooLittle says what a run did too little of to count as a test; empty for
// nothing.
func (c Counts) tooLittle() string {
	return missing([]minimum{
		{"commits", c.Commits, minCommits}, {"changes of the lead", c.Leaders, minLeaders}, {"guests started", c.Starts, 5}, {"servers deleted", c.Deleted, 2},
		{"faults with effect", c.FaultSum(), 10}, {"states compared", c.Compared, 5},
	})
}

// tooFewVerdicts says it of a run that is about leases alone.
func (c Counts) tooFewVerdicts() string {
	return missing([]minimum{
		{"commits", c.Commits, minCommits}, {"changes of the lead", c.Leaders, minLeaders}, {"verdicts of down", c.Called, 3}, {"verdicts of up again", c.Revived, 3},
		{"faults with effect", c.FaultSum(), 30}, {"states compared", c.Compared, 5},
	})
}

// minimum is what a run must have done at least.
type minimum struct {
	what      string
	have, min int
}

func missing(all []minimum) string {
	for _, m := range all {
		if m.have < m.min {
			return fmt.Sprintf("only %d %s, at least %d are needed", m.have, m.what, m.min)
		}
	}
	return ""
}
