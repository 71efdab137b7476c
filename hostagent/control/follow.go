package control

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// stayAway is how long a client stays with another control node than its first
// choice, at least: then it looks whether that one is back, so that the load
// of a node that was away comes back to it.
const stayAway = 15 * time.Minute

// follower knows which control node to ask: it stays with the one that
// answered, and goes on to the next when that one fails. Each host has an order
// of its own, which is the same for ever, so that the hosts of a node that dies
// spread over the others.
type follower struct {
	host  string
	nodes func() []string // host:port of all that are known now; nil if bases never change
	clock clock.Clock
	away  time.Duration // stayAway, and a part of it that is the host's own

	mu     sync.Mutex
	bases  []string
	at     int
	homeAt time.Duration // when to look for the first one, if at is another
}

func newFollower(host string, bases []string, nodes func() []string, clk clock.Clock) *follower {
	f := &follower{host: host, nodes: nodes, clock: clk, away: stayAway + time.Duration(weight(host, "")%uint64(stayAway))}
	f.bases = f.sorted(bases)
	return f
}

// sorted gives the control nodes in the host's own order.
func (f *follower) sorted(bases []string) []string {
	return slices.SortedStableFunc(slices.Values(bases), func(a, b string) int {
		return cmp.Compare(weight(f.host, a), weight(f.host, b))
	})
}

// refresh takes the control nodes that are known now, and stays with the one
// that is asked first, if it is still among them. It needs mu.
func (f *follower) refresh() {
	if f.nodes == nil {
		return
	}
	bases := f.sorted(urls(f.nodes()))
	if len(bases) == 0 || slices.Equal(bases, f.bases) {
		return
	}
	at := max(0, slices.Index(bases, f.bases[f.at]))
	f.bases, f.at = bases, at
}

// base is the n-th control node; the list may have become shorter meanwhile.
func (f *follower) base(n int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bases[n%len(f.bases)]
}

// weight is a number that a host and a control node have together.
func weight(host, base string) uint64 {
	sum := sha256.Sum256([]byte(host + "\x00" + base))
	return binary.BigEndian.Uint64(sum[:8])
}

// order lists the control nodes in the order in which to ask them now.
func (f *follower) order() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	var all []int
	if f.at != 0 && f.clock.Mono() >= f.homeAt {
		all = append(all, 0)
	}
	for i := range f.bases {
		if n := (f.at + i) % len(f.bases); len(all) == 0 || n != all[0] {
			all = append(all, n)
		}
	}
	return all
}

// stay makes n the one that is asked first.
func (f *follower) stay(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n != 0 && (f.at == 0 || f.clock.Mono() >= f.homeAt) {
		f.homeAt = f.clock.Mono() + f.away
	}
	f.at = n % len(f.bases)
}

// leave goes on to the one after n, unless that was done already.
func (f *follower) leave(n int) {
	f.mu.Lock()
	at := f.at
	f.mu.Unlock()
	if at == n {
		f.stay(n + 1)
	}
}

// each makes a call at one control node after another until one of them
// answers for good. Each may take as long as limit (0: as long as ctx lasts).
func (f *follower) each(ctx context.Context, limit time.Duration, call func(ctx context.Context, node int, base string) error) error {
	var last error
	for _, n := range f.order() {
		last = f.one(ctx, limit, func(ctx context.Context) error { return call(ctx, n, f.base(n)) })
		if last == nil || !elsewhere(last) {
			f.stay(n)
			return last
		}
		if ctx.Err() != nil {
			return last // called off, which says nothing of the node
		}
		f.leave(n)
	}
	return last
}

func (f *follower) one(ctx context.Context, limit time.Duration, call func(context.Context) error) error {
	if limit > 0 {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	return call(ctx)
}

// elsewhere tells whether another control node may do what this one did not.
func elsewhere(err error) bool {
	switch errs.KindOf(err) {
	case errs.Unavailable, errs.Busy, errs.Unknown, errs.Internal:
		return true
	}
	return false
}
