package faultnet

import (
	"container/heap"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// maxKept bounds the bytes that all pairs together keep.
const maxKept = 512 << 20

// shared is what all lanes of a switch have in common.
type shared struct {
	clock clock.Clock
	seed  uint64
	// bound is how many bytes one lane keeps, capture how many decisions.
	bound, capture int
	// kept is how many bytes all lanes keep.
	kept     atomic.Int64
	flows    flows
	done     chan struct{}
	couriers sync.WaitGroup
}

// lane carries the packets of one ordered pair. It never holds its lock
// together with another's, but for a change of rules.
type lane struct {
	*shared
	pair Pair
	dice dice
	// send gives a packet to the host, or fails because the link is down.
	send func([]byte) error
	wake chan struct{}

	mu sync.Mutex
	// n counts the packets that came, order those that were queued.
	n, order uint64
	// stages are replaced as a whole, by one change after another;
	// generation counts the changes.
	stages     []*stage
	generation uint64
	counts     Counts
	queue      queue
	held       []parcel
	mine       int // bytes in queue and held
	hasCourier bool
	captured   capture
}

func newLane(s *shared, p Pair, send func([]byte) error) *lane {
	return &lane{shared: s, pair: p, dice: newDice(s.seed, p), send: send, wake: make(chan struct{}, 1),
		captured: capture{bound: s.capture}}
}

// carry takes a packet that came from the pair's host. The bytes are the
// caller's again when it returns.
func (l *lane) carry(b []byte, p *packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	if len(l.stages) == 0 {
		l.deliver(b, 1)
		return
	}
	l.judge(parcel{bytes: b, packet: *p, n: l.n}, false)
}

// lose counts a packet that the pair's host could not send.
func (l *lane) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	l.counts.Lost++
}

// judge decides on a packet and does it. kept says that the lane owns the
// bytes already.
func (l *lane) judge(c parcel, kept bool) {
	v := decide(l.stages, l.dice, c.n, &c.packet, l.flows.alpn(&c.packet))
	c.met, c.generation, c.copies, c.late = v.met, l.generation, 1, -1
	if v.twice {
		c.copies = 2
	}
	now, ok := l.clock.Mono(), true
	c.due = now
	if v.fate == passes {
		c.due, c.late, ok = schedule(l.stages, l.dice, c.n, v, now, c.packet.size*c.copies)
	}
	waits := v.fate == isHeld || c.due > now
	if waits && ok && !kept {
		if ok = l.mine+len(c.bytes) <= l.bound && l.kept.Load() < maxKept; ok {
			c.bytes = slices.Clone(c.bytes)
		}
	}
	if v.met != 0 || kept {
		l.captured.note(now, &c, v, ok)
	}
	switch {
	case v.fate == isCut:
		l.counts.Cut++
	case v.fate == isDropped:
		l.counts.Dropped++
	case !ok:
		l.counts.Overflow++
	case v.fate == isHeld:
		l.hold(c, kept)
	default:
		l.dispatch(c, v, waits)
	}
}

// hold keeps a packet until the rules change.
func (l *lane) hold(c parcel, again bool) {
	if !again {
		l.counts.Held++
	}
	l.held = append(l.held, c)
	l.keep(len(c.bytes))
}

// keep counts bytes that are kept, or no longer.
func (l *lane) keep(n int) {
	l.mine += n
	l.kept.Add(int64(n))
}

// dispatch sends a packet, or lets it wait until it is due.
func (l *lane) dispatch(c parcel, v verdict, waits bool) {
	if v.corrupt && c.packet.corrupt(c.bytes, v.flip, v.forge) {
		l.counts.Corrupted++
	}
	if v.twice {
		l.counts.Duplicated++
	}
	if !waits {
		l.arrive(&c)
		return
	}
	l.counts.Delayed++
	l.order++
	c.order = l.order
	l.keep(len(c.bytes))
	heap.Push(&l.queue, c)
	if !l.hasCourier {
		l.hasCourier = true
		l.couriers.Go(l.courier)
	}
	if l.queue[0].order == c.order {
		l.stir()
	}
}

// stir lets the courier look again.
func (l *lane) stir() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// courier delivers what becomes due, until the switch closes.
func (l *lane) courier() {
	for {
		var timer <-chan time.Time
		if wait, some := l.flush(); some {
			timer = l.clock.After(wait)
		}
		select {
		case <-timer:
		case <-l.wake:
		case <-l.done:
			return
		}
	}
}

// flush delivers what is due, and tells how long until the next is.
func (l *lane) flush() (wait time.Duration, some bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flushed()
}

// flushed is flush; the caller holds the lock.
func (l *lane) flushed() (wait time.Duration, some bool) {
	for len(l.queue) > 0 {
		if wait := l.queue[0].due - l.clock.Mono(); wait > 0 {
			return wait, true
		}
		c := heap.Pop(&l.queue).(parcel)
		l.keep(-len(c.bytes))
		l.arrive(&c)
	}
	return 0, false
}

// arrive delivers a packet, and sees whether others have overtaken it.
func (l *lane) arrive(c *parcel) {
	if c.generation == l.generation {
		if c.late >= 0 && c.n < l.stages[c.late].newest {
			l.counts.Reordered++
		}
		for i, s := range l.stages {
			if c.met&(1<<i) != 0 {
				s.newest = max(s.newest, c.n)
			}
		}
	}
	l.deliver(c.bytes, c.copies)
}

func (l *lane) deliver(b []byte, copies int) {
	for range copies {
		if err := l.send(b); err != nil {
			l.counts.Lost++
			continue
		}
		l.counts.Packets++
		l.counts.Bytes += uint64(len(b))
	}
}

// change puts other rules in force; the caller holds the lock. What is on its
// way leaves no later than it would have, and at once if no rule is for it any
// more; a cut loses it and a hold holds it. What is held is judged anew.
func (l *lane) change(stages []*stage) {
	for _, s := range stages {
		s.last, s.free = 0, 0 // what waits is put on the wire again
	}
	queue, held := l.queue, l.held
	l.stages, l.queue, l.held = stages, nil, nil
	l.keep(-l.mine)
	l.generation++
	slices.SortFunc(queue, parcel.compare)
	for _, c := range queue {
		l.reroute(c)
	}
	for _, c := range held {
		l.judge(c, true)
	}
	l.flushed() // what is due now is not for the next change to judge
	l.stir()
}

// reroute looks at a packet on its way under new rules.
func (l *lane) reroute(c parcel) {
	v := decide(l.stages, l.dice, c.n, &c.packet, l.flows.alpn(&c.packet))
	c.met, c.late, c.generation = v.met, -1, l.generation
	now := l.clock.Mono()
	if v.met == 0 {
		c.due = now
	}
	if v.met == 0 || v.fate == isCut || v.fate == isHeld {
		l.captured.note(now, &c, v, true)
	}
	switch {
	case v.fate == isCut:
		l.counts.Cut++
	case v.fate == isHeld:
		l.hold(c, false)
	case v.met == 0:
		l.arrive(&c)
	default:
		if due, _, ok := schedule(l.stages, l.dice, c.n, v, now, c.packet.size*c.copies); ok {
			c.due = min(c.due, due)
		}
		l.keep(len(c.bytes))
		heap.Push(&l.queue, c)
	}
}

// read gives the counters.
func (l *lane) read() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts
	c.Waiting = len(l.queue) + len(l.held)
	return c
}

// decisions gives what was captured.
func (l *lane) decisions() []Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.captured.decisions(l.pair)
}
