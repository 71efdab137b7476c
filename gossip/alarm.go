package gossip

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/kvorum/kvorum/internal/clock"
)

// maxAlarms bounds the alarms that are remembered. The one that was quiet for
// the longest time goes first.
const maxAlarms = 256

// Alarm says that two nodes claim one name: a host's disk was cloned, or a
// node came back at another address before its old self counted as dead. The
// holder stays what it was; nothing is done about the claimant, because what
// to believe is not decided here.
type Alarm struct {
	// Name is the name that both claim.
	Name string
	// Holder is the address that this node goes on to believe.
	Holder netip.AddrPort
	// Claimant is the other address.
	Claimant netip.AddrPort
	// Self tells that the name is this node's own.
	Self bool
	// First and Last are when it was seen, by the wall clock. As long as both
	// run it is seen again with every exchange of lists.
	First, Last time.Time
	// Count is how often it was seen.
	Count uint64
}

type alarmKey struct {
	name             string
	holder, claimant netip.AddrPort
}

// alarmBook remembers alarms. It implements memberlist.ConflictDelegate.
type alarmBook struct {
	clock clock.Clock
	self  string
	// poke is called after each alarm, and must not block.
	poke func()

	mu   sync.Mutex
	book map[alarmKey]*Alarm
}

// NotifyConflict implements memberlist.ConflictDelegate. memberlist holds its
// own lock meanwhile.
func (b *alarmBook) NotifyConflict(existing, other *memberlist.Node) {
	key := alarmKey{existing.Name, addrPort(existing.Addr, existing.Port), addrPort(other.Addr, other.Port)}
	now := b.clock.Now()
	b.mu.Lock()
	a := b.book[key]
	if a == nil {
		b.makeRoom()
		a = &Alarm{Name: key.name, Holder: key.holder, Claimant: key.claimant, Self: key.name == b.self, First: now}
		b.book[key] = a
	}
	a.Last = now
	a.Count++
	b.mu.Unlock()
	b.poke()
}

func (b *alarmBook) makeRoom() {
	if len(b.book) < maxAlarms {
		return
	}
	var oldest alarmKey
	var found *Alarm
	for k, a := range b.book {
		if found == nil || a.Last.Before(found.Last) {
			oldest, found = k, a
		}
	}
	delete(b.book, oldest)
}

// list gives a copy of all, sorted by name and claimant.
func (b *alarmBook) list() []Alarm {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Alarm, 0, len(b.book))
	for _, a := range b.book {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(x, y Alarm) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		if c := x.Claimant.Compare(y.Claimant); c != 0 {
			return c
		}
		return x.Holder.Compare(y.Holder)
	})
	return all
}

// contestedFor is how long after the last alarm a name counts as contested.
// Even in the largest pool the lists are exchanged much more often.
const contestedFor = time.Hour

// contested tells whether this node's own name was claimed by another of late.
func (b *alarmBook) contested() bool {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.book {
		if a.Self && now.Sub(a.Last) < contestedFor {
			return true
		}
	}
	return false
}
