package faultnet

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// track is a lane from a to b, on a clock that stands still, whose far end
// remembers what arrives.
type track struct {
	*lane
	fake *clock.Fake

	mu      sync.Mutex
	arrived []uint32
	at      []time.Duration
	down    bool
}

// cleaner is what a track needs of a test.
type cleaner interface{ Cleanup(func()) }

func newTrack(t cleaner, seed uint64) *track {
	k := &track{fake: clock.NewFake(time.Unix(0, 0))}
	s := &shared{clock: k.fake, seed: seed, bound: 64 << 10, capture: 100, done: make(chan struct{})}
	k.lane = newLane(s, Pair{"a", "b"}, k.take)
	t.Cleanup(func() { close(s.done); s.couriers.Wait() })
	return k
}

func (k *track) take(b []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down {
		return errNoLink
	}
	k.arrived = append(k.arrived, binary.BigEndian.Uint32(b[len(b)-4:]))
	k.at = append(k.at, k.fake.Mono())
	return nil
}

// come lets numbered datagrams come, from 1 on or after those before.
func (k *track) come(numbers ...uint32) {
	for _, n := range numbers {
		k.bring(udp(binary.BigEndian.AppendUint32(nil, n)...))
	}
}

func (k *track) bring(b []byte) {
	p, _ := parse(b)
	k.carry(b, &p)
	clear(b) // the buffer is the reader's again
}

// set puts one rule in force.
func (k *track) set(m Match, f Fault) {
	r, err := Rule{From: "a", To: "b", Match: m, Fault: f}.normal()
	if err != nil {
		panic(err)
	}
	k.lane.mu.Lock()
	defer k.lane.mu.Unlock()
	k.change(replace(k.stages, r, key{match: m}))
}

func (k *track) heal() {
	k.lane.mu.Lock()
	defer k.lane.mu.Unlock()
	k.change(nil)
}

// pass lets time pass, and whatever is due by then arrive.
func (k *track) pass(d time.Duration) {
	k.fake.Advance(d)
	k.flush()
}

// took gives what has arrived since the last call.
func (k *track) took() []uint32 {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.arrived
	k.arrived, k.at = nil, nil
	return all
}

func (k *track) counters() Counts { return k.read() }

func wantTook(t *testing.T, k *track, what string, want ...uint32) {
	t.Helper()
	if got := k.took(); !slices.Equal(got, want) {
		t.Errorf("%s: %v arrived, want %v", what, got, want)
	}
}

const ms = time.Millisecond

func TestHeldUntilLetGo(t *testing.T) {
	k := newTrack(t, 1)
	k.set(Match{Proto: UDP}, Fault{Hold: true})
	k.come(1, 2)
	k.bring(tcp(1, 2, 0, 0, 0, 3))
	wantTook(t, k, "while datagrams are held", 3)
	k.pass(time.Hour)
	wantTook(t, k, "an hour later")
	k.set(Match{Proto: TCP}, Fault{Delay: ms})
	k.come(4)
	wantTook(t, k, "after another rule")
	if c := k.read(); c.Held != 3 || c.Waiting != 3 {
		t.Errorf("%+v", c)
	}
	k.set(Match{Proto: UDP}, Fault{Delay: 10 * ms})
	wantTook(t, k, "when the delay takes the hold's place")
	k.pass(10 * ms)
	wantTook(t, k, "after the delay", 1, 2, 4)
	k.set(Match{Proto: UDP}, Fault{Hold: true})
	k.come(5, 6)
	k.set(Match{Proto: UDP}, Fault{Cut: true})
	k.heal()
	wantTook(t, k, "after a cut of what was held")
	if c := k.read(); c.Cut != 2 || c.Waiting != 0 || c.Held != 5 || c.Delayed != 3 {
		t.Errorf("%+v", c)
	}
}

func TestHealLetsAllGoInOrder(t *testing.T) {
	k := newTrack(t, 1)
	k.set(Match{}, Fault{Delay: time.Minute})
	k.come(1, 2, 3)
	k.heal()
	k.come(4)
	wantTook(t, k, "after healing", 1, 2, 3, 4)
	if c := k.read(); c.Waiting != 0 || k.mine != 0 {
		t.Errorf("%+v, %d bytes kept", c, k.mine)
	}
}

// TestChangeOfTheWay: what is on its way under a rule that is changed.
func TestChangeOfTheWay(t *testing.T) {
	for _, row := range []struct {
		name string
		f    Fault
		want []uint32 // within a second
	}{
		{"cut", Fault{Cut: true}, nil},
		{"held", Fault{Hold: true}, nil},
		{"shorter delay", Fault{Delay: 5 * ms}, []uint32{1, 2, 3}},
		{"longer delay does not hold up what is on its way", Fault{Delay: 2 * time.Second}, []uint32{1, 2}},
		{"loss from now on", Fault{Drop: Always}, []uint32{1, 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := newTrack(t, 1)
			k.set(Match{}, Fault{Delay: 500 * ms})
			k.come(1, 2)
			k.pass(100 * ms)
			k.set(Match{}, row.f)
			k.come(3)
			k.pass(time.Second)
			wantTook(t, k, "a second later", row.want...)
		})
	}
}

// TestOrderThroughAChange: what comes after a change to a shorter delay, or a
// faster wire, does not overtake what waits.
func TestOrderThroughAChange(t *testing.T) {
	for _, row := range []struct{ before, after Fault }{
		{Fault{Delay: 500 * ms}, Fault{Delay: 5 * ms}},
		{Fault{Rate: 100}, Fault{Rate: 1_000_000}},
		{Fault{Rate: 100}, Fault{Delay: ms}},
		{Fault{Delay: 500 * ms, Jitter: 400 * ms}, Fault{Delay: 500 * ms, Jitter: 400 * ms}},
	} {
		k := newTrack(t, 1)
		k.set(Match{}, row.before)
		k.come(1, 2, 3, 4)
		k.pass(ms)
		k.set(Match{}, row.after)
		for n := range uint32(20) {
			k.come(n + 5)
			k.pass(ms / 2)
		}
		k.pass(time.Second)
		got := k.took()
		if len(got) != 24 || !slices.IsSorted(got) {
			t.Errorf("%+v, then %+v: %v", row.before, row.after, got)
		}
	}
}

func TestReorderedAreThoseOvertaken(t *testing.T) {
	k := newTrack(t, 1)
	k.set(Match{}, Fault{Reorder: Always, Late: 10 * ms})
	k.come(1, 2, 3)
	k.pass(10 * ms)
	wantTook(t, k, "all are late alike", 1, 2, 3)
	if c := k.read(); c.Reordered != 0 {
		t.Errorf("nobody was overtaken: %+v", c)
	}
	k.set(Match{}, Fault{Reorder: 30 * Percent, Late: 3 * ms})
	var overtaken uint64
	for n := range uint32(1000) {
		k.come(n)
		k.pass(ms)
	}
	k.pass(10 * ms)
	got, highest := k.took(), uint32(0)
	for _, n := range got {
		if n < highest {
			overtaken++
		}
		highest = max(highest, n)
	}
	if c := k.read(); len(got) != 1000 || c.Reordered != overtaken || overtaken < 200 || overtaken > 400 {
		t.Errorf("%d arrived, %d were overtaken, counted %d", len(got), overtaken, c.Reordered)
	}
}

func TestKeptWithinBounds(t *testing.T) {
	for _, f := range []Fault{{Hold: true}, {Delay: time.Minute}, {Rate: 1, Queue: maxQueue}} {
		k := newTrack(t, 1)
		k.set(Match{}, f)
		const packets, size = 5000, 32
		for n := range uint32(packets) {
			k.come(n)
		}
		fit := uint64(64 << 10 / size)
		if c := k.read(); c.Overflow != packets-fit || c.Waiting != int(fit) || k.mine != 64<<10 {
			t.Errorf("%+v: %+v, %d bytes kept", f, c, k.mine)
		}
		k.heal()
		if got := k.took(); len(got) != int(fit) || got[len(got)-1] != uint32(fit-1) {
			t.Errorf("%+v: %d arrived", f, len(got))
		}
		k.set(Match{}, f)
		k.come(1)
		if c := k.read(); c.Waiting != 1 {
			t.Errorf("%+v: no room again: %+v", f, c)
		}
	}
}

// TestWireThroughAChange: a change of another rule does not make a slow wire
// slower for what is on it, or behind it.
func TestWireThroughAChange(t *testing.T) {
	for _, f := range []Fault{{Rate: 32_000}, {Rate: 64_000, Duplicate: Always}} {
		k := newTrack(t, 1)
		k.set(Match{Proto: UDP}, f) // a packet of 32 bytes, or two, in 1 ms
		k.come(1, 2, 3, 4, 5)
		for range 5 {
			k.set(Match{Proto: TCP}, Fault{Drop: 1})
			k.set(Match{Proto: TCP}, Fault{})
		}
		k.come(6)
		for n := range uint32(6) {
			k.pass(ms - 1)
			wantTook(t, k, "on the wire")
			k.pass(1)
			if got := k.took(); len(got) == 0 || got[0] != n+1 {
				t.Errorf("%+v: %v arrived after %v, want %d", f, got, k.fake.Mono(), n+1)
			}
		}
	}
}

// TestAllKeepWithinOneBound: what other pairs keep leaves less for this one.
func TestAllKeepWithinOneBound(t *testing.T) {
	k := newTrack(t, 1)
	k.set(Match{}, Fault{Hold: true})
	k.come(1)
	k.kept.Add(maxKept)
	k.come(2)
	k.kept.Add(-maxKept)
	k.come(3)
	if c := k.read(); c.Overflow != 1 || c.Waiting != 2 {
		t.Errorf("%+v", c)
	}
}

func TestTwiceAndDamaged(t *testing.T) {
	k := newTrack(t, 1)
	k.set(Match{}, Fault{Duplicate: Always})
	k.come(1, 2)
	wantTook(t, k, "twice", 1, 1, 2, 2)
	k.set(Match{}, Fault{Duplicate: Always, Delay: ms})
	k.come(3, 4)
	k.pass(ms)
	wantTook(t, k, "twice and later", 3, 3, 4, 4)
	k.set(Match{}, Fault{Corrupt: Always, Forge: true})
	k.come(0)
	if got := k.took(); len(got) != 1 || got[0] == 0 {
		t.Errorf("damaged: %v", got)
	}
	if c := k.read(); c.Duplicated != 4 || c.Corrupted != 1 || c.Packets != 9 || c.Bytes != 9*32 {
		t.Errorf("%+v", c)
	}
}

func TestLostAtALinkThatIsDown(t *testing.T) {
	k := newTrack(t, 1)
	k.down = true
	k.come(1)
	k.set(Match{}, Fault{Delay: ms})
	k.come(2)
	k.pass(ms)
	k.lose()
	if c := k.read(); c.Lost != 3 || c.Packets != 0 {
		t.Errorf("%+v", c)
	}
}

// TestCourierIsWoken: what is due sooner than all that waits is not kept
// waiting for these.
func TestCourierIsWoken(t *testing.T) {
	k := newTrack(t, 1)
	// The courier may have asked for the time before it passes and begin to wait
	// after; so time goes on until it has seen it, which is to be soon.
	arrived := func(n int, step time.Duration, most int) {
		t.Helper()
		for range most {
			k.fake.Advance(step)
			for range 100 {
				k.mu.Lock()
				now := len(k.arrived)
				k.mu.Unlock()
				if now == n {
					return
				}
				time.Sleep(ms)
			}
		}
		t.Fatalf("%d have not arrived", n)
	}
	k.set(Match{Proto: UDP}, Fault{Delay: time.Minute})
	k.set(Match{Proto: TCP}, Fault{Delay: time.Second})
	k.come(1)
	k.bring(tcp(1, 2, 0, 0, 0, 2))
	arrived(1, time.Second, 30)
	arrived(2, time.Minute, 30)
	wantTook(t, k, "both", 2, 1)
}

// storm runs chosen packets and changes over a track.
func storm(k *track, steps []int) {
	faults := []Fault{{}, {Cut: true}, {Hold: true}, {Drop: 30 * Percent}, {Delay: 20 * ms, Jitter: 20 * ms}, {Duplicate: 30 * Percent},
		{Reorder: 20 * Percent, Late: 5 * ms}, {Rate: 5000, Queue: 2048}, {Delay: 3 * ms, Duplicate: 50 * Percent, Rate: 9000}}
	matches := []Match{{}, {Proto: UDP}, {DstPort: 8771}}
	for n, s := range steps {
		switch {
		case s < 60:
			k.come(uint32(n))
		case s < 80:
			k.pass(time.Duration(s-59) * ms)
		case s < 81:
			k.heal()
		default:
			k.set(matches[s%len(matches)], faults[s%len(faults)])
		}
	}
}

// TestNothingIsLostUnseen: whatever the rules and their changes, each packet
// is delivered, waits, or is counted; and the same seed does the same.
func TestNothingIsLostUnseen(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 0))
		var steps []int
		for range 300 {
			steps = append(steps, r.IntN(111))
		}
		k, twin := newTrack(t, seed), newTrack(t, seed)
		storm(k, steps)
		storm(twin, steps)
		check := func(when string) Counts {
			c := k.read()
			slices.Sort(k.arrived)
			kept := 0
			for _, p := range append(slices.Clone(k.queue), k.held...) {
				kept += len(p.bytes)
			}
			if kept != k.mine {
				t.Fatalf("seed %d, %s: %d bytes are kept, counted are %d", seed, when, kept, k.mine)
			}
			distinct := len(slices.Compact(slices.Clone(k.arrived)))
			if sum := uint64(distinct+c.Waiting) + c.Cut + c.Dropped + c.Overflow; sum != k.n || c.Packets != uint64(len(k.arrived)) {
				t.Fatalf("seed %d, %s: %d came, %d of them arrived, in %d copies: %+v", seed, when, k.n, distinct, len(k.arrived), c)
			}
			return c
		}
		check("in the storm")
		k.heal()
		twin.heal()
		if c := check("after healing"); c.Waiting != 0 || k.mine != 0 || k.kept.Load() != 0 {
			t.Fatalf("seed %d, after healing: %+v, %d bytes kept", seed, c, k.mine)
		}
		slices.Sort(twin.arrived)
		if !slices.Equal(k.arrived, twin.arrived) || k.read() != twin.read() {
			t.Fatalf("seed %d: %v, then %v", seed, k.arrived, twin.arrived)
		}
	}
}

func TestCaptureIsTheLastDecisions(t *testing.T) {
	k := newTrack(t, 1)
	k.come(1, 2)
	k.set(Match{}, Fault{Drop: 50 * Percent, Delay: 3 * ms})
	for n := range uint32(500) {
		k.come(n)
		k.pass(ms)
	}
	k.pass(3 * ms)
	k.set(Match{}, Fault{Hold: true})
	syn := tcp(40000, 8770, 9)
	syn[33] = 0x02
	k.bring(syn)
	k.heal()
	all := k.decisions()
	if len(all) != 100 || all[98].N != 503 || !slices.IsSortedFunc(all, func(a, b Decision) int { return int(a.At - b.At) }) {
		t.Fatalf("%d decisions, of which the last are %+v", len(all), all[95:])
	}
	dropped := 0
	for _, d := range all[:98] {
		if d.Fate == "drop" {
			dropped++
		} else if d.Fate != "pass" || d.Delay != 3*ms {
			t.Errorf("%+v", d)
		}
	}
	if dropped < 30 || dropped > 70 {
		t.Errorf("%d of 98 were dropped", dropped)
	}
	text, err := json.Marshal(all[98])
	const want = `{"at":503000000,"from":"a","to":"b","n":503,"proto":"tcp","src_port":40000,"dst_port":8770,"size":41,"payload":1,"flags":"S","fate":"hold"}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v\nwant %s", text, err, want)
	}
	if d := all[99]; d.N != 503 || d.Fate != "pass" {
		t.Errorf("let go: %+v", d)
	}
}

func TestCountsSinceThen(t *testing.T) {
	full := Counts{2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24}
	half := Counts{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99}
	if got := full.Since(half); got != (Counts{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 24}) {
		t.Errorf("%+v", got)
	}
	if got := half.Visible(); got != 3+4+5+6+7+8+9+10 {
		t.Errorf("%d were touched", got)
	}
	text, err := json.Marshal(map[Pair]Counts{{"a", "b"}: {Packets: 1, Bytes: 2, Cut: 3}})
	if want := `{"a→b":{"packets":1,"bytes":2,"cut":3}}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}
