package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// played is a fault that only notes what is done with it.
type played struct {
	name        string
	effect      string
	begin, undo error
	began       func()
	calls       *[]string
}

func (f played) Name() string { return f.name }

func (f played) Begin(ctx context.Context, _ *Env, _ *rand.Rand) ([]string, error) {
	*f.calls = append(*f.calls, "begin "+f.name)
	if f.began != nil {
		f.began()
	}
	if ctx.Err() != nil {
		return nil, errors.New("a fault must be done whole, though the run is over")
	}
	return []string{"c1", "c2"}, f.begin
}

func (f played) End(ctx context.Context, _ *Env) (string, error) {
	*f.calls = append(*f.calls, "end "+f.name)
	return f.effect, errors.Join(f.undo, ctx.Err())
}

func stage() *Env { return &Env{Clock: clock.Real{}, History: NewHistory(clock.Real{})} }

func TestSuffer(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		fault played
		seen  bool
		bad   bool
	}{
		"with an effect":      {fault: played{effect: "2 gone"}, seen: true},
		"without one":         {fault: played{}},
		"it cannot begin":     {fault: played{begin: broken, effect: "2 gone"}, bad: true},
		"it cannot be undone": {fault: played{undo: broken, effect: "2 gone"}, bad: true},
		"neither of the two":  {fault: played{begin: broken, undo: broken}, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := stage()
			var calls []string
			c.fault.name, c.fault.calls = "kill", &calls
			seen, err := e.suffer(t.Context(), c.fault, time.Millisecond, nil)
			if seen != c.seen || (err != nil) != c.bad || c.bad && !errors.Is(err, broken) {
				t.Errorf("%v, %v", seen, err)
			}
			if !slices.Equal(calls, []string{"begin kill", "end kill"}) {
				t.Errorf("%v: what was begun is undone, once", calls)
			}
			events := e.History.Events()
			if len(events) != 2 || !events[0].Begins || !events[1].Ends || events[1].Text != c.fault.effect || events[0].At > events[1].At ||
				events[0].Name != "kill" || !slices.Equal(events[0].On, []string{"c1", "c2"}) {
				t.Errorf("%+v", events)
			}
		})
	}
}

// TestStormCounts: each fault is counted by its name, and apart if it was seen;
// the one that is under way when the run ends is undone and counts.
func TestStormCounts(t *testing.T) {
	e := stage()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var calls []string
	n := 0
	script := Script{Calm: [2]int{0, 1}, Storm: [2]int{0, 1}, Make: []func() Fault{
		func() Fault { return played{name: "seen", effect: "1 gone", calls: &calls} },
		func() Fault { return played{name: "in vain", calls: &calls} },
	}}
	for i, f := range script.Make {
		script.Make[i] = func() Fault {
			p := f().(played)
			p.began = func() {
				if n++; n == 40 {
					cancel()
				}
			}
			return p
		}
	}
	count, err := e.storm(ctx, script, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if count.Done["seen"]+count.Done["in vain"] != 40 || count.Done["seen"] < 5 || count.Done["in vain"] < 5 {
		t.Errorf("done %v", count.Done)
	}
	if count.Seen["seen"] != count.Done["seen"] || count.Seen["in vain"] != 0 {
		t.Errorf("seen %v of %v", count.Seen, count.Done)
	}
	if len(calls) != 80 || !strings.HasPrefix(calls[79], "end ") || len(e.History.Events()) != 80 {
		t.Errorf("%d calls, %d events", len(calls), len(e.History.Events()))
	}
}

// TestStormEnds: a run that is over begins no fault, and one that cannot be
// made is an error, not a run.
func TestStormEnds(t *testing.T) {
	e := stage()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var calls []string
	script := Script{Calm: [2]int{0, 1}, Make: []func() Fault{func() Fault { return played{name: "kill", begin: errors.New("no such process"), calls: &calls} }}}
	if count, err := e.storm(over, script, rand.New(rand.NewPCG(1, 1))); err != nil || len(calls) > 0 || len(count.Done) > 0 {
		t.Errorf("%v, %v, %v", count, err, calls)
	}
	if _, err := e.storm(t.Context(), script, rand.New(rand.NewPCG(1, 1))); err == nil || !strings.Contains(err.Error(), "kill on [c1 c2]: no such process") {
		t.Errorf("%v", err)
	}
}

// TestScriptsFollowTheSeed: the same seed chooses the same faults and times.
func TestScriptsFollowTheSeed(t *testing.T) {
	for _, test := range Tests {
		choices := func(seed uint64) (out []time.Duration) {
			rng := rand.New(rand.NewPCG(seed, 1))
			for range 20 {
				out = append(out, between(rng, test.Script.Calm), time.Duration(rng.IntN(len(test.Script.Make))), between(rng, test.Script.Storm))
			}
			return out
		}
		if !slices.Equal(choices(7), choices(7)) || len(test.Script.Make) > 1 && slices.Equal(choices(7), choices(8)) {
			t.Errorf("%s: seeds do not decide", test.ID)
		}
	}
}

func TestBetween(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	low, high := time.Hour, time.Duration(0)
	for range 1000 {
		d := between(rng, [2]int{5, 7})
		low, high = min(low, d), max(high, d)
	}
	if low != 5*time.Millisecond || high != 7*time.Millisecond {
		t.Errorf("from %v to %v", low, high)
	}
}
