package leader

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// maxLeases bounds how many hosts are remembered.
const maxLeases = 1 << 16

// Lease is when a host was heard last, by the leader's monotone clock.
type Lease struct {
	Host string
	// Renewed is in nanoseconds.
	Renewed int64
}

// Leases remembers when each host was heard last. It is safe for concurrent
// use.
type Leases struct {
	mu   sync.Mutex
	last map[string]int64
}

// NewLeases remembers nobody yet.
func NewLeases() *Leases { return &Leases{last: map[string]int64{}} }

// Renew notes that a host was heard at now, a reading of the monotone clock.
func (l *Leases) Renew(host string, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.last[host]; !known && len(l.last) >= maxLeases {
		return
	}
	l.last[host] = max(l.last[host], int64(now))
}

// All lists the leases by host.
func (l *Leases) All() []Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Lease, 0, len(l.last))
	for host, renewed := range l.last {
		out = append(out, Lease{host, renewed})
	}
	slices.SortFunc(out, func(a, b Lease) int { return cmp.Compare(a.Host, b.Host) })
	return out
}

// heard tells when a host was heard last; false for never.
func heard(all []Lease, host string) (int64, bool) {
	i, ok := slices.BinarySearchFunc(all, host, func(l Lease, h string) int { return cmp.Compare(l.Host, h) })
	if !ok {
		return 0, false
	}
	return all[i].Renewed, true
}
