package joinapi

import (
	"net/netip"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

const (
	// maxFailures is how many joins may fail from one address in a window.
	maxFailures = 10
	window      = time.Minute
	// maxOrigins bounds how many addresses are remembered.
	maxOrigins = 4096
)

// pace slows down who fails: a token's secret cannot be guessed, but guessing
// should not cost us anything either.
type pace struct {
	clock clock.Clock

	mu   sync.Mutex
	seen map[netip.Addr]failures
}

// failures are those of one address since a reading of the clock.
type failures struct {
	since time.Duration
	n     int
}

func newPace(clk clock.Clock) *pace { return &pace{clock: clk, seen: map[netip.Addr]failures{}} }

// allow tells whether an address may try.
func (p *pace) allow(from netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.seen[from]
	return f.n < maxFailures || p.clock.Mono()-f.since >= window
}

// failed notes a failure.
func (p *pace) failed(from netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Mono()
	f, known := p.seen[from]
	if !known && len(p.seen) >= maxOrigins {
		p.forget(now)
	}
	if !known || now-f.since >= window {
		f = failures{since: now}
	}
	f.n++
	p.seen[from] = f
}

// forget makes room: those whose window is over go, or else the oldest one.
func (p *pace) forget(now time.Duration) {
	var oldest netip.Addr
	first := time.Duration(-1)
	for from, f := range p.seen {
		if now-f.since >= window {
			delete(p.seen, from)
		} else if first < 0 || f.since < first {
			oldest, first = from, f.since
		}
	}
	if len(p.seen) >= maxOrigins {
		delete(p.seen, oldest)
	}
}
