package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kvorum/kvorum/jepsen/faultnet"
)

// wire is a fault of the network: rules about some control nodes.
type wire struct {
	name string
	whom Whom
	// rules makes them, for the nodes that are hit and all other machines.
	rules  func(rng *rand.Rand, hit, rest []string) []faultnet.Rule
	before map[faultnet.Pair]faultnet.Counts
}

func network(name string, w Whom, rules func(rng *rand.Rand, hit, rest []string) []faultnet.Rule) func() Fault {
	return func() Fault { return &wire{name: name + " " + string(w), whom: w, rules: rules} }
}

// Partition cuts control nodes off from the other machines, in both
// directions. Clients reach them all the same: what a node answers that does
// not know that it is cut off is the question.
func Partition(w Whom) func() Fault {
	return network("partition", w, func(_ *rand.Rand, hit, rest []string) []faultnet.Rule { return faultnet.Partition(hit, rest) })
}

// Deaf cuts one direction only: nodes are heard, and hear nobody.
func Deaf(w Whom) func() Fault {
	return network("deafen", w, func(_ *rand.Rand, hit, rest []string) []faultnet.Rule {
		return faultnet.OneWay(rest, hit, faultnet.Match{}, faultnet.Fault{Cut: true})
	})
}

// Mute cuts the other one: nodes hear, and nobody hears them.
func Mute(w Whom) func() Fault {
	return network("mute", w, func(_ *rand.Rand, hit, rest []string) []faultnet.Rule {
		return faultnet.OneWay(hit, rest, faultnet.Match{}, faultnet.Fault{Cut: true})
	})
}

// Ring lets each node of five hear a majority, and none the same one. Of three
// it cuts one wire, so that one node hears both others.
func Ring() Fault {
	return network("ring", All, func(rng *rand.Rand, hit, _ []string) (rules []faultnet.Rule) {
		hit = some(rng, hit, len(hit))
		far := max(1, (len(hit)-1)/2)
		for i, a := range hit {
			b := hit[(i+far)%len(hit)]
			if len(hit) > 3 || i == 0 {
				rules = append(rules, faultnet.Between([]string{a}, []string{b}, faultnet.Match{}, faultnet.Fault{Cut: true})...)
			}
		}
		return rules
	})()
}

// Slow delays everything between control nodes, 75 ms give or take 50.
func Slow() Fault {
	return bad("delay", faultnet.Fault{Delay: 75 * time.Millisecond, Jitter: 50 * time.Millisecond})
}

// Lossy loses, repeats and reorders packets between control nodes, and damages
// some of them.
func Lossy() Fault {
	return bad("loss", faultnet.Fault{Drop: 10 * faultnet.Percent, Duplicate: 5 * faultnet.Percent, Reorder: 10 * faultnet.Percent, Corrupt: faultnet.Percent})
}

// Narrow lets 1 Mbit/s through between control nodes.
func Narrow() Fault { return bad("rate", faultnet.Fault{Rate: 125_000}) }

func bad(name string, f faultnet.Fault) Fault {
	return network(name, All, func(_ *rand.Rand, hit, _ []string) []faultnet.Rule {
		return faultnet.OneWay(hit, hit, faultnet.Match{}, f)
	})()
}

func (f *wire) Name() string { return f.name }

func (f *wire) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	hosts, err := f.whom.choose(ctx, e, rng)
	if err != nil {
		return nil, err
	}
	hit := names(hosts...)
	rest := slices.DeleteFunc(names(e.Cloud.Machines()...), func(name string) bool { return slices.Contains(hit, name) })
	if f.before, err = e.Net.Counters(ctx); err != nil {
		return hit, err
	}
	return hit, e.Net.Apply(ctx, f.rules(rng, hit, rest)...)
}

func (f *wire) End(ctx context.Context, e *Env) (effect string, err error) {
	after, err := e.Net.Counters(ctx)
	var packets uint64
	for pair, c := range after {
		packets += c.Since(f.before[pair]).Visible()
	}
	if packets > 0 {
		effect = fmt.Sprintf("%d packets met it", packets)
	}
	return effect, errors.Join(err, e.Net.Heal(ctx))
}
