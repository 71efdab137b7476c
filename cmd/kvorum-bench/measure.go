package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
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
}

// side is one of the two that are compared.
type side func(ctx context.Context, caller int, i uint64) error

// compare lets both sides take turns and gives the medians of their rates.
func compare(name string, callers, turns int, span time.Duration, ours, peer side) (row, error) {
	var mine, theirs []float64
	for range turns {
		for _, s := range []struct {
			side  side
			rates *[]float64
		}{{ours, &mine}, {peer, &theirs}} {
			rate, err := measure(callers, span, s.side)
			if err != nil {
				return row{}, fmt.Errorf("%s: %w", name, err)
			}
			*s.rates = append(*s.rates, rate)
		}
	}
	r := row{Name: name, Value: median(mine), Unit: "ops/s", Better: "higher", Peer: "hashicorp/raft", PeerValue: median(theirs)}
	r.Ratio = r.Value / r.PeerValue
	return r, nil
}

// measure runs callers for span and gives what they did per second.
func measure(callers int, span time.Duration, do side) (float64, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var done atomic.Uint64
	var first sync.Once
	var failed error
	var over atomic.Bool
	var wg sync.WaitGroup
	watch := clock.Real{}
	start := watch.Mono()
	for c := range callers {
		wg.Go(func() {
			for i := uint64(0); !over.Load(); i++ {
				if err := do(ctx, c, i); err != nil {
					first.Do(func() { failed = err })
					return
				}
				done.Add(1)
			}
		})
	}
	<-watch.After(span)
	over.Store(true)
	wg.Wait()
	return float64(done.Load()) / (watch.Mono() - start).Seconds(), failed
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
