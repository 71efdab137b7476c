package state

import (
	"sync"
	"sync/atomic"
)

// Stamp is where in the log the state stands.
type Stamp struct {
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	// At is the leader's clock of that entry, Unix nanoseconds; it never goes
	// back.
	At int64 `json:"at"`
}

// Store holds the live tables, the published view and the feed. One goroutine
// writes; any number read.
type Store struct {
	mu   sync.Mutex // held by the writer while it changes live
	live *tables
	at   Stamp
	view atomic.Pointer[View]
	// behind says that a batch ended since the view was made.
	behind atomic.Bool
	feed   *Feed
	past   *history
}

// NewStore makes an empty store that remembers the last feedSize changes.
func NewStore(feedSize int) *Store {
	s := &Store{live: newTables(), feed: newFeed(feedSize), past: newHistory()}
	s.renew()
	return s
}

// View gives the state with everything that was published, and perhaps the
// first entries of a batch that is being applied. It stays as it is for as long
// as the caller keeps it.
//
// The first one to ask after a batch makes the view, for all others: what the
// writer changes afterwards, it must copy first, and between two batches that
// nobody looks at it need not.
func (s *Store) View() View {
	if s.behind.Load() {
		s.mu.Lock()
		if s.behind.Load() {
			s.renew()
		}
		s.mu.Unlock()
	}
	return *s.view.Load()
}

// Feed gives the changes as they are published.
func (s *Store) Feed() *Feed { return s.feed }

// HashAt gives the state's hash as it was after the entry at index, if that is
// among the last HistorySize.
func (s *Store) HashAt(index uint64) (Sum, bool) { return s.past.at(index) }

// Begin opens the transaction of the log entry at stamp. The one before must
// be committed or rolled back.
func (s *Store) Begin(stamp Stamp) *Tx {
	s.mu.Lock()
	if stamp.At < s.at.At {
		stamp.At = s.at.At
	}
	return &Tx{View: View{t: s.live, Stamp: stamp}, store: s}
}

// Publish lets View show everything committed so far and wakes the feed's
// readers: once per batch of entries.
func (s *Store) Publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind.Store(true)
	s.feed.publish(s.at.Index)
}

// renew makes the view of now, with mu held.
func (s *Store) renew() {
	var prev *tables
	if v := s.view.Load(); v != nil {
		prev = v.t
	}
	s.view.Store(&View{t: s.live.share(prev), Stamp: s.at, sum: s.live.total(), results: s.live.results.count()})
	s.behind.Store(false)
}

// Snapshot gives everything that is committed, in constant time.
func (s *Store) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew()
	v := *s.view.Load()
	t := *v.t
	t.results = s.live.results.snap()
	t.list = t.all()
	v.t = &t
	return Snapshot{v}
}
