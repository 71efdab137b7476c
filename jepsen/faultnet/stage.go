package faultnet

import (
	"fmt"
	"time"
)

// stage is a rule at work on its pair. The rule does not change; the rest is
// guarded by the pair's lane.
type stage struct {
	Rule
	key    key
	number byte
	salt   uint64
	// last is when the last packet that kept its place leaves, free is when
	// the wire of a rate is free again.
	last, free time.Duration
	// newest is the highest number of a packet of the rule that was delivered.
	newest uint64
}

// key is what tells the rules of a pair apart. The cuts of a partition have
// keys of their own, so that the end of the one is not that of the other. Where
// rules of several pairs are in one list, from tells these apart.
type key struct {
	match     Match
	partition bool
	from      string
}

func newStage(r Rule, k key) *stage {
	s := &stage{Rule: r, key: k, salt: digest(fmt.Sprint(k))}
	switch r.Proto {
	case TCP:
		s.number = numberTCP
	case UDP:
		s.number = numberUDP
	}
	return s
}

// replace gives the stages with the rule in its place, at the end, or taken
// away; the old slice stays as it was.
func replace(stages []*stage, r Rule, k key) []*stage {
	var next []*stage
	found := false
	for _, s := range stages {
		if s.key == k {
			found = true
			if r.Fault == (Fault{}) {
				continue
			}
			s = newStage(r, k)
		}
		next = append(next, s)
	}
	if !found && r.Fault != (Fault{}) {
		next = append(next, newStage(r, k))
	}
	return next
}

func (s *stage) takes(p *packet, alpn string) bool {
	return (s.number == 0 || s.number == p.number) &&
		(s.SrcPort == 0 || s.SrcPort == p.srcPort) &&
		(s.DstPort == 0 || s.DstPort == p.dstPort) &&
		(s.ALPN == "" || s.ALPN == alpn)
}

// fate is what becomes of a packet; of several rules' the highest counts.
type fate byte

const (
	passes fate = iota
	isHeld
	isDropped
	isCut
)

// verdict is what the rules of a pair say of a packet.
type verdict struct {
	fate fate
	// met has a bit for each stage that matched.
	met   uint16
	twice bool
	// corrupt flips the bit that flip says.
	corrupt, forge bool
	flip           uint64
}

// decide judges the n-th packet of a pair. It reads no state.
func decide(stages []*stage, d dice, n uint64, p *packet, alpn string) (v verdict) {
	for i, s := range stages {
		if !s.takes(p, alpn) {
			continue
		}
		v.met |= 1 << i
		switch {
		case s.Cut:
			v.fate = max(v.fate, isCut)
		case d.hits(n, s.salt, faceDrop, s.Drop):
			v.fate = max(v.fate, isDropped)
		case s.Hold:
			v.fate = max(v.fate, isHeld)
		}
		v.twice = v.twice || d.hits(n, s.salt, faceDuplicate, s.Duplicate)
		if d.hits(n, s.salt, faceCorrupt, s.Corrupt) {
			v.corrupt, v.forge, v.flip = true, s.Forge, d.throw(n, s.salt, faceBit)
		}
	}
	return v
}

// schedule gives when the packet leaves that comes now: later than now if
// it has to wait. late is the place of the stage that lets others overtake it,
// or -1. It is not ok if a queue was full.
func schedule(stages []*stage, d dice, n uint64, v verdict, now time.Duration, size int) (due time.Duration, late int, ok bool) {
	due, late = now, -1
	for i, s := range stages {
		if v.met&(1<<i) == 0 {
			continue
		}
		came := due
		due += s.delay(d, n)
		if d.hits(n, s.salt, faceReorder, s.Reorder) {
			due += s.Late
			late = i
		}
		if s.Rate > 0 {
			if due, ok = s.transmit(due, size); !ok {
				return came, late, false
			}
		}
		if late < 0 {
			due = max(due, s.last)
			s.last = due
		}
	}
	return due, late, true
}

// delay is between Delay-Jitter and Delay+Jitter.
func (s *stage) delay(d dice, n uint64) time.Duration {
	if s.Jitter == 0 {
		return s.Delay
	}
	spread := d.throw(n, s.salt, faceJitter) % uint64(2*s.Jitter+1)
	return s.Delay - s.Jitter + time.Duration(spread)
}

// transmit puts a packet on the wire of the rate, behind those before it.
func (s *stage) transmit(at time.Duration, size int) (done time.Duration, ok bool) {
	start := max(at, s.free)
	// The bound on the queue keeps the product far from the end of int64.
	if waiting := int64(start-at) / 1000 * s.Rate / 1e6; waiting+int64(size) > int64(s.Queue) {
		return at, false
	}
	s.free = start + time.Duration(int64(size)*int64(time.Second)/s.Rate)
	return s.free, true
}
