package gossip

import (
	"log/slog"
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

// AlarmKind is what an Alarm is about.
type AlarmKind string

// The kinds of alarms.
const (
	// NameConflict: two nodes claim one name. A host's disk was cloned, or a node
	// came back at another address before its old self counted as dead.
	NameConflict AlarmKind = "name"
	// OtherKey: somebody speaks with the pool's label under a key that this node
	// does not have. A node was restored or is badly set up, or somebody tries.
	OtherKey AlarmKind = "key"
)

// Alarm says what is wrong in a pool. Nothing is done about it, because what to
// believe is not decided here: of two that claim a name the holder stays what
// it was, and who has another key is not heard.
type Alarm struct {
	Kind AlarmKind
	// Name is the name that both claim; empty for OtherKey.
	Name string
	// Holder is the address that this node goes on to believe; for OtherKey this
	// node's own.
	Holder netip.AddrPort
	// Claimant is the other address; for OtherKey the last from which it came,
	// which may be forged.
	Claimant netip.AddrPort
	// Self tells that the name is this node's own.
	Self bool
	// First and Last are when it was seen, by the wall clock. As long as both
	// run it is seen again with every exchange of lists.
	First, Last time.Time
	// Count is how often it was seen.
	Count uint64
}

// alarmFor is how long after it was seen last an alarm counts. Even in the
// largest pool the lists are exchanged much more often.
const alarmFor = time.Hour

// Active tells whether the alarm still counts at now: it was seen within the
// hour before.
func (a Alarm) Active(now time.Time) bool { return now.Sub(a.Last) < alarmFor }

type alarmKey struct {
	kind             AlarmKind
	name             string
	holder, claimant netip.AddrPort
}

// entry is a remembered alarm.
type entry struct {
	Alarm
	told time.Time // when it was last logged
}

// alarmBook remembers alarms. It implements memberlist.ConflictDelegate.
type alarmBook struct {
	clock clock.Clock
	self  string
	// poke is called after each alarm, and must not block.
	poke func()

	mu   sync.Mutex
	book map[alarmKey]*entry
	// conflicts and otherKeys count all that was ever seen.
	conflicts, otherKeys uint64
}

// NotifyConflict implements memberlist.ConflictDelegate. memberlist holds its
// own lock meanwhile.
func (b *alarmBook) NotifyConflict(existing, other *memberlist.Node) {
	b.mu.Lock()
	b.conflicts++
	b.note(alarmKey{NameConflict, existing.Name, addrPort(existing.Addr, existing.Port), addrPort(other.Addr, other.Port)})
	b.mu.Unlock()
	b.poke()
}

// noKey is what memberlist says when it has none for what it got. It tells so
// by its log alone.
const noKey = "no installed keys could decrypt"

// line listens to what memberlist logs.
func (b *alarmBook) line(text string) {
	if !strings.Contains(text, noKey) {
		return
	}
	_, from, _ := strings.Cut(text, "from=")
	at, _ := netip.ParseAddrPort(strings.TrimSpace(from)) // else nobody's
	b.otherKey(at)
}

// otherKey notes that somebody has another key. There is one entry for all of
// them: where a packet comes from can be made up.
func (b *alarmBook) otherKey(from netip.AddrPort) {
	b.mu.Lock()
	b.otherKeys++
	b.note(alarmKey{kind: OtherKey}).Claimant = from
	b.mu.Unlock()
	b.poke()
}

// note counts an alarm. It needs mu.
func (b *alarmBook) note(key alarmKey) *entry {
	now := b.clock.Now()
	a := b.book[key]
	if a == nil {
		b.makeRoom()
		self := key.kind == NameConflict && key.name == b.self
		a = &entry{Alarm: Alarm{Kind: key.kind, Name: key.name, Holder: key.holder, Claimant: key.claimant, Self: self, First: now}}
		b.book[key] = a
	}
	a.Last = now
	a.Count++
	return a
}

func (b *alarmBook) makeRoom() {
	if len(b.book) < maxAlarms {
		return
	}
	var oldest alarmKey
	var found *entry
	for k, a := range b.book {
		if found == nil || a.Last.Before(found.Last) {
			oldest, found = k, a
		}
	}
	delete(b.book, oldest)
}

// list gives a copy of all, sorted by kind, name and claimant.
func (b *alarmBook) list() []Alarm {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Alarm, 0, len(b.book))
	for _, a := range b.book {
		all = append(all, a.Alarm)
	}
	slices.SortFunc(all, func(x, y Alarm) int {
		if c := strings.Compare(string(x.Kind)+x.Name, string(y.Kind)+y.Name); c != 0 {
			return c
		}
		if c := x.Claimant.Compare(y.Claimant); c != 0 {
			return c
		}
		return x.Holder.Compare(y.Holder)
	})
	return all
}

// contested tells whether this node's own name was claimed by another of late.
func (b *alarmBook) contested() bool {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.book {
		if a.Self && a.Active(now) {
			return true
		}
	}
	return false
}

// tell logs what is new, and once an hour what goes on.
func (b *alarmBook) tell(log *slog.Logger, lines *allowance) {
	now := b.clock.Now()
	b.mu.Lock()
	var news []Alarm
	for _, a := range b.book {
		if a.told.IsZero() || a.Last.Sub(a.told) >= alarmFor {
			a.told = now
			news = append(news, a.Alarm)
		}
	}
	b.mu.Unlock()
	for _, a := range news {
		dropped, ok := lines.take()
		switch {
		case !ok:
		case a.Kind == OtherKey:
			log.Error("alarm: somebody gossips under a key that this node does not have", "from", a.Claimant, "dropped_lines", dropped)
		default:
			log.Error("alarm: two nodes claim one name", "name", a.Name, "believed", a.Holder, "other", a.Claimant, "own", a.Self, "dropped_lines", dropped)
		}
	}
}
