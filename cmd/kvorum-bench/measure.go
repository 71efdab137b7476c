package main

import (
	"fmt"
	"slices"
	"time"
)

// row is one line of the result, as out/bench.jsonl has it.
type row struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
	Better    string  `json:"better"`
	Peer      string  `json:"peer,omitempty"`
	PeerValue float64 `json:"peer_value,omitempty"`
	Ratio     float64 `json:"ratio,omitempty"`
	// note is for people only.
	note string
}

// compared makes a row of what two sides did, turn by turn.
func compared(name, unit, better, peer string, ours, theirs []float64) row {
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i]/theirs[i])
	}
	slices.Sort(ratios)
	return row{Name: name, Value: median(ours), Unit: unit, Better: better, Peer: peer, PeerValue: median(theirs), Ratio: median(ratios),
		note: fmt.Sprintf("  (turns from %.2f to %.2f)", ratios[0], ratios[len(ratios)-1])}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// done is what one measurement did.
type done struct {
	Ops int `json:"ops"`
	// Seconds is how long it took; CPU how much of the process's time.
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"`
}

func (d done) rate() float64 { return float64(d.Ops) / d.Seconds }

// opsFor is how many operations fill a span at a rate.
func opsFor(rate float64, span time.Duration, callers int) int {
	return max(int(rate*span.Seconds()), callers)
}
