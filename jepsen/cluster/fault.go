package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Fault is something that is done to the cluster for a while.
type Fault interface {
	// Name is the same for all faults of the kind.
	Name() string
	// Begin does it, and says to which machines. What it chooses, it chooses by
	// rng.
	Begin(ctx context.Context, e *Env, rng *rand.Rand) (on []string, err error)
	// End undoes it and tells what could be seen of it; empty if nothing: the run
	// is then no proof of anything. It is called after every Begin, even one that
	// failed half-way.
	End(ctx context.Context, e *Env) (effect string, err error)
}

// Script is which faults a run does, and how long.
type Script struct {
	// Make makes the faults to choose from.
	Make []func() Fault
	// Calm and Storm are how long the cluster is left alone, and each fault
	// lasts, in milliseconds: from and up to.
	Calm, Storm [2]int
}

// toll counts what was done.
type toll struct {
	// Done counts the faults by name, Seen those whose effect was seen.
	Done, Seen map[string]int
}

// storm does one fault after the other until ctx ends, and heals the last one.
func (e *Env) storm(ctx context.Context, s Script, rng *rand.Rand) (toll, error) {
	count := toll{map[string]int{}, map[string]int{}}
	for {
		e.Pause(ctx, between(rng, s.Calm))
		if ctx.Err() != nil {
			return count, nil
		}
		f := s.Make[rng.IntN(len(s.Make))]()
		seen, err := e.suffer(ctx, f, between(rng, s.Storm), rng)
		if err != nil {
			return count, err
		}
		count.Done[f.Name()]++
		if seen {
			count.Seen[f.Name()]++
		}
	}
}

// suffer does one fault and undoes it, and tells whether it had an effect.
func (e *Env) suffer(ctx context.Context, f Fault, long time.Duration, rng *rand.Rand) (bool, error) {
	whole := context.WithoutCancel(ctx) // what was begun is undone in any case
	began := e.History.Now()            // to begin may take a while, and is a part of it
	on, err := f.Begin(whole, e, rng)
	e.History.Tell(Event{At: began, Name: f.Name(), On: on, Begins: true})
	if err == nil {
		e.Pause(ctx, long)
	}
	effect, undo := f.End(whole, e)
	err = errors.Join(err, undo)
	e.History.Tell(Event{Name: f.Name(), On: on, Ends: true, Text: effect})
	if err != nil {
		return false, fmt.Errorf("%s on %v: %w", f.Name(), on, err)
	}
	return effect != "", nil
}

// between is a random time within a range of milliseconds.
func between(rng *rand.Rand, ms [2]int) time.Duration {
	return time.Duration(ms[0]+rng.IntN(ms[1]-ms[0]+1)) * time.Millisecond
}
