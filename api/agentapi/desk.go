package agentapi

import (
	"sync"
	"time"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

// maxPast bounds how many former states of a host can be led on from.
const maxPast = 3

// desk is what a board remembers of one host. All but turn is guarded by the
// board's mu.
type desk struct {
	host string
	// turn is held while the host's desired state is computed: whoever else
	// asks for it meanwhile gets the same.
	turn sync.Mutex

	users int
	// now is the newest state, past are those before it, the newest first.
	now  known
	past []known
	// fresh says that no change since now was computed concerned the host;
	// marks counts those that may have, and each closes news.
	fresh    bool
	marks    uint64
	news     chan struct{}
	networks []model.NetworkID
	// checked is when now was computed.
	checked time.Duration
}

// known is a state that a host was, or is to be, told: its digests alone.
type known struct {
	digest string
	sums   assign.Sums
}

// mark notes that something may concern the host.
func (k *desk) mark() {
	k.fresh = false
	k.marks++
	close(k.news)
	k.news = make(chan struct{})
}

// question is what is asked of a board about a host.
type question struct {
	// have is the digest of what the host was told.
	have string
	// least is a view that the answer must not be older than; the zero View
	// asks for no more than this node knows.
	least state.View
	// got is what an earlier answer computed; it saves doing it again.
	got *assign.Sheet
}

// standing is how a host stands. If it is to be told anything but what it has,
// sheet is that.
type standing struct {
	sheet *assign.Sheet
	// news is closed when the standing may have changed.
	news <-chan struct{}
}

// look answers a question, by computing only if need be.
func (b *board) look(k *desk, q question) (standing, error) {
	k.turn.Lock()
	defer k.turn.Unlock()
	b.mu.Lock()
	b.catchUp()
	v, marks, at := b.seen, k.marks, standing{news: k.news}
	behind := v.Index < q.least.Index
	if k.fresh && !behind && b.clock.Mono()-k.checked < trustFor {
		done := k.now.digest == q.have
		if !done && q.got != nil && q.got.Digest == k.now.digest {
			again := *q.got
			again.Index = v.Index
			at.sheet, done = &again, true
		}
		if done {
			b.mu.Unlock()
			return at, nil
		}
	}
	b.mu.Unlock()
	if behind {
		v = q.least
	}
	d, err := b.tell(v, k.host)
	if err != nil {
		return standing{}, err
	}
	b.computed.Add(1)
	sheet := assign.NewSheet(d)
	b.keep(k, sheet, marks, behind)
	if sheet.Digest != q.have {
		at.sheet = &sheet
	}
	return at, nil
}

// keep remembers what was computed when the desk had that many marks. What was
// computed from a state that the board has not looked at yet is not fresh.
func (b *board) keep(k *desk, s assign.Sheet, marks uint64, ahead bool) {
	networks := make([]model.NetworkID, len(s.Networks))
	for i, n := range s.Networks {
		networks[i] = model.NetworkID(n.ID)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if k.now.digest != s.Digest {
		if k.fresh && k.marks == marks && !ahead {
			b.log.Error("a change of what a host is told was overlooked", "host", k.host, "index", s.Index)
		}
		if k.now.digest != "" {
			k.past = append([]known{k.now}, k.past[:min(len(k.past), maxPast-1)]...)
		}
		k.now = known{s.Digest, s.Sums}
	}
	b.index(k, networks)
	k.fresh = k.marks == marks && !ahead
	k.checked = b.clock.Mono()
}

// delta leads the host from the state with the digest have to s, if that state
// is known here and the way is shorter than the whole.
func (b *board) delta(k *desk, have string, s assign.Sheet) (assign.Delta, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, was := range append([]known{k.now}, k.past...) {
		if was.digest == have {
			d := assign.Diff(was.sums, s)
			return d, len(d.Put) < len(s.Sums)
		}
	}
	return assign.Delta{}, false
}
