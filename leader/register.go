package leader

import (
	"log/slog"
	"sync"
	"time"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// maxHosts bounds how many hosts are remembered, and how many one question may
// name; maxInstance the bytes of an instance's name.
const (
	maxHosts    = 1 << 16
	maxInstance = 128
)

// RegisterConfig is what a Register is made of; all fields must be set.
type RegisterConfig struct {
	// NodeID is this control node's.
	NodeID string
	// Lease is how long a granted lease lasts.
	Lease time.Duration
	// View is the state as this node knows it, however old.
	View func() state.View
	// Term is the term that this node's vote store has, which must be no memory
	// of it: what is promised in a term must outlive a restart.
	Term func() uint64
	// Electorate are the control nodes of the newest configuration that this
	// node knows to be committed.
	Electorate func() assign.Electorate
	Clock      clock.Clock
	Log        *slog.Logger
}

// Register is a voter's side of the hosts' leases. Every control node has one,
// whether it leads or not. It is in memory only: one that has just started
// counts every host as having renewed, and grants nothing before a leader told
// it which hosts it must not grant. It is safe for concurrent use.
type Register struct {
	c RegisterConfig

	mu sync.Mutex
	// up is since when silence counts, and last when anybody called.
	up, last time.Duration
	// told says that a leader has said which hosts to hold; term and seq are of
	// its last question.
	told      bool
	term, seq uint64
	hosts     map[string]*tenant
	clones    map[string]*Clone
	counts    RegisterCounts
}

// tenant is one host as a voter knows it.
type tenant struct {
	// instance is who was granted the lease last, and seq its last request.
	instance string
	seq      uint64
	// granted is when the lease was granted last. renewed is since when silence
	// counts: that, or what counts like it. tried is when the host last asked, in
	// vain or not.
	granted, renewed, tried time.Duration
	// held says that the lease is not granted until a leader says otherwise.
	held bool
	// rival was refused since the last renewal; crossed counts how often the
	// holder renewed after that.
	rival   string
	crossed int
}

// RegisterCounts are what a Register did, for metrics.
type RegisterCounts struct {
	// Granted, Held, Taken, Young and Old are requests by what became of them.
	Granted, Held, Taken, Young, Old uint64
	// Hosts are those remembered now.
	Hosts int
}

// NewRegister begins to count.
func NewRegister(c RegisterConfig) *Register {
	now := c.Clock.Mono()
	return &Register{c: c, up: now, last: now, hosts: map[string]*tenant{}, clones: map[string]*Clone{}}
}

// Patience is how long a host must have been silent before a voter says so: 1.2
// leases, so that the host's own lease has surely run out whatever the clocks'
// drift, and half a lease of grace.
func Patience(lease time.Duration) time.Duration { return lease*12/10 + lease/2 }

// Renew answers a host. Invalid: the request cannot be used. Forbidden: the host
// belongs to another cluster. NotFound: it is not registered, as far as this
// node knows. Busy: there are too many hosts.
func (r *Register) Renew(q assign.LeaseRequest) (assign.LeaseAnswer, error) {
	const op = "leader.renew"
	if !model.IsUUID(q.HostID) || q.Instance == "" || len(q.Instance) > maxInstance {
		return assign.LeaseAnswer{}, errs.Errorf(op, errs.Invalid, "A lease is asked for with a host's id and an instance's name.")
	}
	v := r.c.View()
	cluster := v.Cluster()
	if cluster == nil {
		return assign.LeaseAnswer{}, errs.Errorf(op, errs.Unavailable, "This cluster is not initialized yet.")
	}
	if q.ClusterID != "" && q.ClusterID != cluster.ID {
		return assign.LeaseAnswer{}, errs.Errorf(op, errs.Forbidden, "This is cluster %s, and the host belongs to %s.", cluster.ID, q.ClusterID)
	}
	if v.Host(model.HostID(q.HostID)) == nil {
		return assign.LeaseAnswer{}, errs.Errorf(op, errs.NotFound, "Host %s is not registered.", q.HostID)
	}
	a := assign.LeaseAnswer{ClusterID: cluster.ID, Incarnation: cluster.Incarnation, NodeID: r.c.NodeID,
		Life: int64(r.c.Lease), Electorate: r.c.Electorate()}
	var err error
	if a.Reason, err = r.renew(q); err != nil {
		return assign.LeaseAnswer{}, err
	}
	a.Granted = a.Reason == ""
	return a, nil
}

// renew notes a request and gives the reason why it is not granted, or none.
func (r *Register) renew(q assign.LeaseRequest) (assign.LeaseReason, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.awake()
	t := r.tenant(q.HostID, now)
	if t == nil {
		return "", errs.Errorf("leader.renew", errs.Busy, "There are more than %d hosts.", maxHosts)
	}
	if t.instance == q.Instance && q.Seq <= t.seq {
		r.counts.Old++
		return assign.LeaseOld, nil
	}
	if t.instance != q.Instance && t.instance != "" && now-t.granted <= r.c.Lease*12/10 {
		r.counts.Taken++
		t.rival = q.Instance
		return assign.LeaseTaken, nil
	}
	t.tried = now
	if t.instance == q.Instance {
		t.seq = q.Seq
	}
	switch {
	case !r.told:
		// Nobody is granted, and nobody may be called silent for that.
		t.renewed = now
		r.counts.Young++
		return assign.LeaseYoung, nil
	case t.held:
		r.counts.Held++
		return assign.LeaseDown, nil
	}
	r.counts.Granted++
	r.grant(q, t, now)
	return "", nil
}

// grant renews the lease of an instance, which may be a new one.
func (r *Register) grant(q assign.LeaseRequest, t *tenant, now time.Duration) {
	if t.instance != q.Instance {
		t.instance, t.rival, t.crossed = q.Instance, "", 0
	}
	t.seq, t.granted, t.renewed = q.Seq, now, now
	if t.rival != "" {
		t.crossed++
		r.cross(q.HostID, t)
		t.rival = ""
	}
}

// awake gives the time now. A voter that nobody reached for as long as a lease
// lasts was asleep or cut off, and heard no host for that reason: like one that
// has just started it counts them all as having renewed.
func (r *Register) awake() time.Duration {
	now := r.c.Clock.Mono()
	if now-r.last > max(r.c.Lease, 3*tick) {
		r.up = now
	}
	r.last = now
	return now
}

// tenant finds a host's entry or makes one; nil if there is no room.
func (r *Register) tenant(host string, now time.Duration) *tenant {
	if t := r.hosts[host]; t != nil {
		return t
	}
	if len(r.hosts) >= maxHosts {
		// What is silent and not held is no more than what is not known.
		for id, t := range r.hosts {
			if !t.held && r.silent(t, now) {
				delete(r.hosts, id)
			}
		}
	}
	if len(r.hosts) >= maxHosts {
		return nil
	}
	t := &tenant{granted: never, renewed: r.up, tried: never}
	r.hosts[host] = t
	return t
}

// never is when that happened which has not happened yet.
const never = time.Duration(-1 << 62)

// silent tells whether a host has not renewed for as long as patience lasts. nil
// is a host that this voter never heard of.
func (r *Register) silent(t *tenant, now time.Duration) bool {
	last := r.up
	if t != nil {
		last = max(last, t.renewed)
	}
	return now-last > Patience(r.c.Lease)
}

// Counts reads the counters.
func (r *Register) Counts() RegisterCounts {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.counts
	n.Hosts = len(r.hosts)
	return n
}
