package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/kvorum/kvorum/jepsen/faultnet"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// staleAnswers pauses the leader while answers to its heartbeats are on their
// way, lets another one lead and take writes, and then asks the paused one very
// much. When it goes on, among the first that it hears is that its followers
// follow, and raft's own check of the lead believes that.
type staleAnswers struct {
	pause  pause
	leader *testbed.Host
	flood  *sync.WaitGroup
}

// Floods is a workload that can be told to write and read at once.
type Floods interface {
	// Overtake writes to everything that can be read, through one node.
	Overtake(ctx context.Context, e *Env, through *testbed.Host)
	// Flood begins many reads at one node.
	Flood(ctx context.Context, e *Env, at *testbed.Host, n int) *sync.WaitGroup
}

// flood is how many reads wait for the paused leader.
const flood = 100

// StaleAnswers needs a workload that Floods.
func StaleAnswers() Fault { return &staleAnswers{pause: pause{whom: Leader}} }

func (f *staleAnswers) Name() string { return "pause leader amid heartbeats" }

func (f *staleAnswers) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	all := names(e.Cloud.Controls...)
	slow := faultnet.OneWay(all, all, faultnet.Match{Proto: faultnet.TCP}, faultnet.Fault{Delay: 40 * time.Millisecond})
	if err := e.Net.Apply(ctx, slow...); err != nil {
		return nil, err
	}
	e.Pause(ctx, time.Duration(500+rng.IntN(500))*time.Millisecond) // so that what is on its way is late
	on, err := f.pause.Begin(ctx, e, rng)
	if err != nil {
		return on, err
	}
	f.leader = f.pause.hit[0]
	var next *testbed.Host
	err = e.Wait(ctx, 15*time.Second, "another leader", func() bool {
		next = e.leads(f.leader)
		return next != nil
	})
	if w, ok := e.Workload.(Floods); ok && err == nil {
		w.Overtake(ctx, e, next)
		f.flood = w.Flood(ctx, e, f.leader, flood)
	}
	return on, err
}

// leads finds a node other than one that says that it leads.
func (e *Env) leads(not *testbed.Host) *testbed.Host {
	for _, h := range e.Cloud.Controls {
		if h == not {
			continue
		}
		if s, err := e.Cloud.Health(h); err == nil && s.Role == "leader" {
			return h
		}
	}
	return nil
}

func (f *staleAnswers) End(ctx context.Context, e *Env) (string, error) {
	effect, err := f.pause.End(ctx, e)
	if f.flood != nil {
		f.flood.Wait()
	}
	return effect, errors.Join(err, e.Net.Heal(ctx))
}
