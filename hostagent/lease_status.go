package hostagent

import (
	"slices"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
)

// LeaseStatus is a lease as a person reads it.
type LeaseStatus struct {
	Held bool `json:"held"`
	// For is how long the lease lasts if nothing renews it, in milliseconds;
	// below 0 it ended so long ago.
	For int64 `json:"for_ms"`
	// Instance is this life of the agent.
	Instance string        `json:"instance"`
	Voters   []VoterStatus `json:"voters"`
}

// VoterStatus is what one voter said last.
type VoterStatus struct {
	ID      string `json:"id"`
	Address string `json:"address,omitempty"`
	// Granted says that the voter's grant lasts still; Reason why it did not
	// renew it.
	Granted bool               `json:"granted"`
	Reason  assign.LeaseReason `json:"reason,omitempty"`
	// Heard is how long ago it answered, in milliseconds; -1 for never.
	Heard int64 `json:"heard_ms"`
}

// Status is the lease at now, a reading of the host's clock.
func (l *Lease) Status(now time.Duration) LeaseStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := LeaseStatus{Held: l.held(now), For: (l.until() - now).Milliseconds(), Instance: l.instance, Voters: []VoterStatus{}}
	for _, n := range l.electorate.Voters() {
		v := VoterStatus{ID: n.ID, Address: n.Address, Heard: -1}
		if g, ok := l.grants[n.ID]; ok {
			v.Address, v.Granted, v.Reason, v.Heard = g.address, now < g.until, g.reason, (now - g.heard).Milliseconds()
		}
		s.Voters = append(s.Voters, v)
	}
	return s
}

// Nodes are the control nodes that are known, voters or not.
func (l *Lease) Nodes() []assign.Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.electorate.Nodes)
}

// Counts reads the counters.
func (l *Lease) Counts() LeaseCounts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}
