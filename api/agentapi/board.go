package agentapi

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

const (
	// maxDesks bounds how many hosts are remembered.
	maxDesks = 1 << 14
	// maxLook bounds how many changes are looked at one by one; of more than
	// that it is assumed that they concern everybody.
	maxLook = 1 << 12
	// trustFor is how long a host's digest is believed without being computed
	// again: the net below state.Concerned.
	trustFor = time.Minute
)

// boardConfig is what a board is made of.
type boardConfig struct {
	// peek is this node's own state; feed tells what changes in it.
	peek func() state.View
	feed *state.Feed
	// tell computes what a host is told in a view, with its secrets open.
	tell  func(v state.View, host string) (assign.Desired, error)
	clock clock.Clock
	log   *slog.Logger
}

// board remembers, for each host that asks here, the digests of what it is to
// be told, and marks those whom a change may concern. So a change costs one
// look, however many agents wait, and a computation for those that it concerns.
// It never remembers what a host is told: there are secrets in it.
type board struct {
	boardConfig
	// computed counts computations.
	computed atomic.Uint64

	mu sync.Mutex
	// seen is the state up to which every change has been looked at. While
	// blind only its index is kept: an old state takes room.
	seen  state.View
	blind bool
	desks map[string]*desk
	// nets are the desks whose desired state has a network.
	nets map[model.NetworkID]map[*desk]bool
	// waiting agents keep the pump going; stop ends it, ended says that it has.
	waiting     int
	stop, ended chan struct{}
}

func newBoard(c boardConfig) *board {
	return &board{boardConfig: c, blind: true, desks: map[string]*desk{}, nets: map[model.NetworkID]map[*desk]bool{}}
}

// sit gives the host's desk, and keeps it until leave. Busy: too many hosts
// ask here at once.
func (b *board) sit(host string) (*desk, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.desks[host]
	if k == nil {
		if len(b.desks) >= maxDesks && !b.makeRoom() {
			return nil, errs.Errorf("agentapi.board", errs.Busy, "Too many hosts ask this control node at once.")
		}
		k = &desk{host: host, news: make(chan struct{})}
		b.desks[host] = k
	}
	k.users++
	return k, nil
}

func (b *board) leave(k *desk) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k.users--
}

// makeRoom forgets a host that nobody asks for now.
func (b *board) makeRoom() bool {
	for host, k := range b.desks {
		if k.users == 0 {
			b.index(k, nil)
			delete(b.desks, host)
			return true
		}
	}
	return false
}

// index notes which networks the desk's host has.
func (b *board) index(k *desk, networks []model.NetworkID) {
	for _, n := range k.networks {
		delete(b.nets[n], k)
		if len(b.nets[n]) == 0 {
			delete(b.nets, n)
		}
	}
	k.networks = networks
	for _, n := range networks {
		if b.nets[n] == nil {
			b.nets[n] = map[*desk]bool{}
		}
		b.nets[n][k] = true
	}
}

// catchUp looks at what changed since seen and marks whom it may concern. If
// this node's view is ahead of its feed, for the moment between the two, it
// leaves that for later. The caller holds mu.
func (b *board) catchUp() {
	now := b.peek()
	if b.blind {
		if now.Index != b.seen.Index {
			b.mark(state.Concern{All: true})
		}
		b.seen, b.blind = now, false
	}
	if now.Index <= b.seen.Index {
		return
	}
	changes, upto, err := b.feed.Since(b.seen.Index, maxLook)
	switch {
	case err != nil || len(changes) >= maxLook:
		b.mark(state.Concern{All: true})
	case upto < now.Index:
		return
	default:
		for len(changes) > 0 && changes[len(changes)-1].Index > now.Index {
			changes = changes[:len(changes)-1]
		}
		b.mark(state.Concerned(b.seen, now, changes))
	}
	b.seen = now
}

// mark tells the desks of those concerned.
func (b *board) mark(c state.Concern) {
	if c.All {
		for _, k := range b.desks {
			k.mark()
		}
		return
	}
	for h := range c.Hosts {
		if k := b.desks[string(h)]; k != nil {
			k.mark()
		}
	}
	for n := range c.Networks {
		for k := range b.nets[n] {
			k.mark()
		}
	}
}

// wait keeps the board looking at the feed until done is called.
func (b *board) wait() (done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting++
	if b.waiting == 1 {
		b.stop, b.ended = make(chan struct{}), make(chan struct{})
		go b.pump(b.stop, b.ended)
	}
	return b.waited
}

// waited ends one wait, and with the last one the pump.
func (b *board) waited() {
	b.mu.Lock()
	b.waiting--
	last, stop, ended := b.waiting == 0, b.stop, b.ended
	if last {
		close(stop)
		b.seen, b.blind = state.View{Stamp: b.seen.Stamp}, true
	}
	b.mu.Unlock()
	if last {
		<-ended
	}
}

// pump looks at each change, once for all who wait.
func (b *board) pump(stop <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	for {
		changed := b.feed.Wait()
		b.mu.Lock()
		select {
		case <-stop:
		default:
			b.catchUp()
		}
		b.mu.Unlock()
		select {
		case <-changed:
		case <-stop:
			return
		}
	}
}
