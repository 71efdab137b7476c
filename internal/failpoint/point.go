//go:build faults

package failpoint

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// Deed is what happens at a place.
type Deed string

// The deeds.
const (
	// Panic ends the process as a programmer's mistake does.
	Panic Deed = "panic"
	// Kill ends the process at once, with nothing flushed.
	Kill Deed = "kill"
	// Sleep holds whoever passes up for a while.
	Sleep Deed = "sleep"
	// Fail gives whoever passes an error.
	Fail Deed = "error"
	// Drop lets whoever passes wait in vain, until its context ends.
	Drop Deed = "drop"
)

// Order says what is to happen at a place.
type Order struct {
	Do Deed `json:"do"`
	// Milliseconds is how long a Sleep takes.
	Milliseconds int `json:"ms,omitempty"`
	// Skip lets this many pass first.
	Skip int `json:"skip,omitempty"`
	// Times ends the order after as many effects; 0 is never.
	Times int `json:"times,omitempty"`
	// Percent of those who pass meet the deed; 0 is all of them.
	Percent int `json:"percent,omitempty"`
}

func (o Order) check() error {
	switch o.Do {
	case Panic, Kill, Fail, Drop:
	case Sleep:
		if o.Milliseconds < 1 {
			return errors.New("a sleep needs milliseconds")
		}
	default:
		return fmt.Errorf("there is no deed %q", o.Do)
	}
	if o.Milliseconds < 0 || o.Skip < 0 || o.Times < 0 || o.Percent < 0 || o.Percent > 100 {
		return errors.New("a number is out of range")
	}
	return nil
}

// Tally is what has happened at a place.
type Tally struct {
	// Passed counts all who came, Met those to whom the deed was done.
	Passed int64 `json:"passed"`
	Met    int64 `json:"met"`
	// Order is the one that stands, if one does.
	Order *Order `json:"order,omitempty"`
}

var (
	mu    sync.Mutex
	tally = map[Name]*Tally{}
	// errInjected is what Fail gives.
	errInjected = errors.New("injected by a failpoint")
)

func at(n Name) *Tally {
	t := tally[n]
	if t == nil {
		t = new(Tally)
		tally[n] = t
	}
	return t
}

// set lets an order stand at a place; nil takes it away.
func set(n Name, o *Order) {
	mu.Lock()
	defer mu.Unlock()
	at(n).Order = o
}

// Hit passes a place. What it gives is not nil only if somebody has ordered a
// Fail or a Drop there.
func Hit(ctx context.Context, n Name) error {
	o := meet(n)
	switch o.Do {
	case Panic:
		panic("injected at " + string(n))
	case Kill:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // never fails on oneself
		select {}
	case Sleep:
		<-clock.Real{}.After(time.Duration(o.Milliseconds) * time.Millisecond)
	case Fail:
		return fmt.Errorf("%w at %s", errInjected, n)
	case Drop:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// HitAfter passes the place after a host agent's step: the one named
// failpoint:agent.<step>.after.
func HitAfter(ctx context.Context, step string) error {
	return Hit(ctx, Name("failpoint:agent."+step+".after"))
}

// meet counts one who passes and gives the order that it meets.
func meet(n Name) Order {
	mu.Lock()
	defer mu.Unlock()
	t := at(n)
	t.Passed++
	o := t.Order
	switch {
	case o == nil:
		return Order{}
	case o.Skip > 0:
		o.Skip--
		return Order{}
	case o.Percent > 0 && rand.IntN(100) >= o.Percent:
		return Order{}
	}
	t.Met++
	met := *o
	if o.Times--; o.Times == 0 {
		t.Order = nil
	} else if o.Times < 0 {
		o.Times = 0
	}
	return met
}
