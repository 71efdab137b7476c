package placement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/model"
)

// Scored is a host that passed every filter.
type Scored struct {
	Host   string
	HostID model.HostID
	Score  int64
	tie    uint64
}

// Trace is why a decision came out as it did.
type Trace struct {
	// Index is the state that was looked at.
	Index uint64
	// Hosts is how many there were; Refused counts per filter, in the order of
	// Filters.
	Hosts   int
	Refused []int
	// Best are the first three hosts that passed, the chosen one first.
	Best []Scored
}

// Summary says in one line how many hosts each filter refused, the most
// telling first: "12 hosts: 9 too little RAM, 3 down".
func (t Trace) Summary() string {
	type part struct{ n, i int }
	var parts []part
	for i, n := range t.Refused {
		if n > 0 {
			parts = append(parts, part{n, i})
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return b.n - a.n })
	var words []string
	for _, p := range parts {
		words = append(words, fmt.Sprintf("%d %s", p.n, Filters[p.i].Says))
	}
	hosts := fmt.Sprintf("%d hosts", t.Hosts)
	if t.Hosts == 1 {
		hosts = "1 host"
	}
	if len(words) == 0 {
		return hosts
	}
	return hosts + ": " + strings.Join(words, ", ")
}

// NoHosts is the Reason where there was no host to ask.
const NoHosts = "no hosts"

// Reason names the filter that refused the most hosts, the first of equals;
// empty if none refused any.
func (t Trace) Reason() string {
	if t.Hosts == 0 {
		return NoHosts
	}
	most := slices.Max(append([]int{0}, t.Refused...))
	if most == 0 {
		return ""
	}
	return Filters[slices.Index(t.Refused, most)].Name
}

// Fault is what the user is told when no host fits.
func (t Trace) Fault() string {
	return "No valid host was found. There are not enough hosts available. " + t.Summary() + "."
}

// String is the whole trace, for administrators. It is kept with the server, so
// names are cut to 64 characters, the most that a node joins with.
func (t Trace) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "at index %d, %s", t.Index, t.Summary())
	for i, s := range t.Best {
		fmt.Fprintf(&b, "; %d. %.64s (%d)", i+1, s.Host, s.Score)
	}
	return b.String()
}
