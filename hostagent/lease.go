package hostagent

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
)

// Lease is the host's own belief in its lease: it holds it while a majority of
// the voters granted it within the life that they gave it, counted from when the
// host asked. It makes no calls; whoever does asks Due whom to call, and tells
// what came of it. It is safe for concurrent use.
type Lease struct {
	hostID, instance string
	cluster          func() string
	seeds            func() []string

	mu    sync.Mutex
	seq   uint64
	life  time.Duration // the last that a voter gave
	calls map[string]*call
	// electorate is the newest that was heard of; grants are by the voter's id.
	electorate  assign.Electorate
	incarnation uint64
	grants      map[string]grant
	// since is when the lease began that is held now, or was last.
	since  time.Duration
	counts LeaseCounts
}

// call is the way to one voter, by its address.
type call struct {
	under bool          // one is under way
	due   time.Duration // when the next is
}

// grant is what one voter said last.
type grant struct {
	address string
	until   time.Duration
	reason  assign.LeaseReason
	heard   time.Duration
}

// LeaseCounts are for metrics.
type LeaseCounts struct {
	// Granted, Denied and Failed are calls by what became of them; Begun counts
	// how often the lease was had anew.
	Granted, Denied, Failed, Begun uint64
}

// Ask is one call that is to be made.
type Ask struct {
	// NodeID is who must answer; empty for an address of which that is not known.
	NodeID, Address string
	Request         assign.LeaseRequest
	// Sent is when the lease begins that is asked for, by the host's clock: the
	// call must not be made sooner. Timeout is how long to wait for its answer.
	Sent, Timeout time.Duration
}

const (
	// firstLife is what is taken for a lease's life before a voter told it.
	firstLife = 3 * time.Second
	// renewals is how often a lease is renewed within its life.
	renewals = 3
	// maxNodes bounds how many control nodes a host remembers; maxLife is longer
	// than any lease.
	maxNodes = 256
	maxLife  = time.Hour
)

// newLease begins without one. seeds gives the addresses that are known
// otherwise; cluster names the one that the host belongs to, empty for none.
func newLease(hostID, instance string, cluster func() string, seeds func() []string) *Lease {
	return &Lease{hostID: hostID, instance: instance, cluster: cluster, seeds: seeds,
		calls: map[string]*call{}, grants: map[string]grant{}}
}

// Due lists the calls that are to be made now, at most one to each voter at a
// time, and takes them for made. Each must be followed by Answered or Failed.
func (l *Lease) Due(now time.Duration) (all []Ask) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) > maxNodes {
		l.forget() // the seeds may have changed often
	}
	for _, n := range l.whom(now) {
		c := l.calls[n.Address]
		if c == nil {
			c = &call{}
			l.calls[n.Address] = c
		}
		if c.under || now < c.due {
			continue
		}
		l.seq++
		c.under, c.due = true, now+l.pause(n.Address)
		all = append(all, Ask{NodeID: n.ID, Address: n.Address, Sent: now, Timeout: l.span(),
			Request: assign.LeaseRequest{ClusterID: l.cluster(), HostID: l.hostID, Instance: l.instance, Seq: l.seq}})
	}
	return all
}

// whom lists the voters that are known, with their addresses; and, as long as
// the lease is not held, the seeds: the addresses may all have changed.
func (l *Lease) whom(now time.Duration) (all []assign.Node) {
	known := map[string]bool{}
	for _, n := range l.electorate.Voters() {
		if n.Address == "" {
			n.Address = l.grants[n.ID].address
		}
		if n.Address != "" && !known[n.Address] {
			known[n.Address] = true
			all = append(all, n)
		}
	}
	if l.held(now) {
		return all
	}
	for _, s := range l.seeds() {
		if !known[s] {
			known[s] = true
			all = append(all, assign.Node{Address: s})
		}
	}
	return all
}

// span is how long one voter's call may take, and the mean time between two.
func (l *Lease) span() time.Duration { return cmp.Or(l.life, firstLife) / renewals }

// pause is the time to the next call, which differs by up to a tenth so that
// hosts do not come in step. It is drawn from the names: a replay waits the same.
func (l *Lease) pause(address string) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(l.hostID + address + strconv.FormatUint(l.seq, 10)))
	tenth := l.span() / 10
	return l.span() - tenth + time.Duration(h.Sum32()%1024)*tenth/1024
}

// Next is when Due is to be asked again, if no call ends sooner.
func (l *Lease) Next(now time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := now + l.span()
	for _, n := range l.whom(now) {
		if c := l.calls[n.Address]; c == nil {
			next = now
		} else if !c.under {
			next = min(next, c.due)
		}
	}
	return max(next, now)
}

// Failed says that nobody answered, or with an error.
func (l *Lease) Failed(a Ask) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(a)
	l.counts.Failed++
}

func (l *Lease) end(a Ask) {
	if c := l.calls[a.Address]; c != nil {
		c.under = false
	}
}

// Answered takes an answer, which came at now. One that is another cluster's, or
// another node's than was called, counts as none.
func (l *Lease) Answered(a Ask, r assign.LeaseAnswer, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(a)
	if r.Incarnation < l.incarnation || !a.fits(r) {
		l.counts.Failed++
		return
	}
	before := l.held(now)
	l.learn(r)
	g := l.grants[r.NodeID]
	g.address, g.reason, g.heard = a.Address, r.Reason, now
	if r.Granted {
		l.counts.Granted++
		l.life = time.Duration(r.Life)
		g.until = max(g.until, a.Sent+l.life)
	} else {
		l.counts.Denied++
	}
	if l.votes(r.NodeID) {
		l.grants[r.NodeID] = g
	}
	if !before && l.held(now) {
		l.since = now
		l.counts.Begun++
	}
}

// fits tells whether an answer is one to this call, and can be used at all.
func (a Ask) fits(r assign.LeaseAnswer) bool {
	return r.NodeID != "" && (a.NodeID == "" || a.NodeID == r.NodeID) &&
		(a.Request.ClusterID == "" || a.Request.ClusterID == r.ClusterID) &&
		r.Life > 0 && r.Life <= int64(maxLife) && len(r.Electorate.Nodes) <= maxNodes
}

// learn takes the newest list of control nodes. Grants of those that vote no
// more are void, and so are all of another incarnation.
func (l *Lease) learn(r assign.LeaseAnswer) {
	if r.Incarnation > l.incarnation {
		l.incarnation, l.electorate = r.Incarnation, assign.Electorate{}
		clear(l.grants)
	}
	if r.Electorate.Index <= l.electorate.Index {
		return
	}
	l.electorate = r.Electorate
	for id := range l.grants {
		if !l.votes(id) {
			delete(l.grants, id)
		}
	}
	l.forget()
}

// forget drops the calls to addresses that are known no more.
func (l *Lease) forget() {
	seeds := l.seeds()
	for address, c := range l.calls {
		known := slices.ContainsFunc(l.electorate.Nodes, func(n assign.Node) bool { return n.Address == address })
		if !known && !c.under && !slices.Contains(seeds, address) {
			delete(l.calls, address)
		}
	}
}

func (l *Lease) votes(id string) bool {
	return slices.ContainsFunc(l.electorate.Nodes, func(n assign.Node) bool { return n.ID == id && n.Voter })
}

// until is when the lease ends, or did: as long as a majority of the voters
// grants it.
func (l *Lease) until() time.Duration {
	ends := make([]time.Duration, 0, len(l.grants))
	for _, n := range l.electorate.Voters() {
		ends = append(ends, l.grants[n.ID].until)
	}
	if len(ends) == 0 {
		return 0
	}
	slices.Sort(ends)
	return ends[(len(ends)-1)/2]
}

func (l *Lease) held(now time.Duration) bool { return now < l.until() }

// Held tells whether the host holds its lease at now, a reading of its clock.
func (l *Lease) Held(now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held(now)
}

// Covers tells whether the lease is held at now and was at asked, and all the
// time between: what the control plane answered to a question of then, nobody
// has undone by calling the host dead.
func (l *Lease) Covers(asked, now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held(now) && l.counts.Begun > 0 && asked >= l.since
}
