package gossip

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// Facts are what may change about a pool while the node lives: a cluster that
// is brought back from a backup has another incarnation, and may have another
// key.
type Facts struct {
	// Cluster and Key are Config's.
	Cluster string
	Key     []byte
}

const (
	// turnEvery is how often the facts are asked for, and a pool that is not open
	// is tried.
	turnEvery = time.Second
	// aloneFor is how long a node that has seeds is alone before it says so, and
	// aloneEvery how often it says so again.
	aloneFor   = 30 * time.Second
	aloneEvery = 10 * time.Minute
)

// Keeper keeps a node in a pool for as long as Run lasts: it opens the pool once
// the facts are known, and anew when they change. What goes wrong is logged and
// tried again. It is safe for concurrent use.
type Keeper struct {
	bare    Config // as it was given
	cfg     Config // with defaults
	facts   func() (Facts, error)
	pool    atomic.Pointer[Pool]
	changed wake

	// These are Run's own.
	with    Facts         // of the pool that is open
	trouble string        // the last that was logged
	since   time.Duration // since when the node is alone
	told    time.Duration // when that was logged; 0 if it was not
}

// NewKeeper makes a keeper that does nothing yet. cfg is a pool's without
// Cluster and Key, with a Port; its Advertise may have a name for a host, which
// is looked up when the pool is opened. facts gives the rest, and is asked again
// and again: NotFound means that they are not known yet. errs.Invalid and
// errs.TooLarge are Open's.
func NewKeeper(cfg Config, facts func() (Facts, error)) (*Keeper, error) {
	bare := cfg
	cfg.fill()
	trial := cfg
	trial.Cluster, trial.Key = "00000000-0000-4000-8000-000000000000", bytes.Repeat([]byte{1}, keyBytes)
	if err := trial.check(); err != nil {
		return nil, err
	}
	if cfg.Port == nil {
		return nil, errs.Errorf("gossip.keeper", errs.Invalid, "a keeper needs a port that outlives its pools")
	}
	if cfg.Advertise == "" && cfg.Port.Addr().Addr().IsUnspecified() {
		return nil, errs.Errorf("gossip.keeper", errs.Invalid, "%v says nothing to others: advertise an address that they reach", cfg.Port.Addr().Addr())
	}
	return &Keeper{bare: bare, cfg: cfg, facts: facts, changed: wake{ch: make(chan struct{})}}, nil
}

// Pool is the pool that is open now; nil if none is. It may be closed by the
// time that it is looked at.
func (k *Keeper) Pool() *Pool { return k.pool.Load() }

// Name is the pool's.
func (k *Keeper) Name() string { return k.cfg.Pool }

// Self is the node's name in the pool.
func (k *Keeper) Self() string { return k.cfg.Name }

// Members gives the pool's; none if it is not open.
func (k *Keeper) Members() []Member {
	if p := k.pool.Load(); p != nil {
		return p.Members()
	}
	return nil
}

// Changed gives a channel that is closed once the pool may be another, or its
// Members or Alarms something else than before. Take it before looking.
func (k *Keeper) Changed() <-chan struct{} { return k.changed.wait() }

// Run keeps the node in the pool until ctx ends; then it says farewell, which
// may take some seconds.
func (k *Keeper) Run(ctx context.Context) {
	defer k.leave()
	for fired := false; ctx.Err() == nil; {
		k.turn(ctx)
		var changed <-chan struct{}
		if p := k.pool.Load(); p != nil {
			changed = p.Changed()
			k.lonely(p)
		}
		if fired { // told after the next change is waited for, so that none is lost
			k.changed.all()
		}
		fired = false
		select {
		case <-changed:
			fired = true
		case <-k.cfg.Clock.After(turnEvery):
		case <-ctx.Done():
		}
	}
}

// turn makes the pool what the facts say.
func (k *Keeper) turn(ctx context.Context) {
	is, err := k.facts()
	p := k.pool.Load()
	switch {
	case errs.Is(err, errs.NotFound):
		return // as it was
	case err != nil:
		k.complain("it is not known how to gossip", err)
		return
	case p != nil && is.Cluster == k.with.Cluster && bytes.Equal(is.Key, k.with.Key):
		return
	}
	if p != nil {
		k.cfg.Log.Info("gossip begins anew: the cluster's incarnation or its key has changed", "cluster", is.Cluster)
		k.leave()
	}
	if p, err = k.open(ctx, is); err != nil {
		k.complain("the gossip pool cannot be opened", err)
		return
	}
	k.with, k.trouble, k.since, k.told = is, "", k.cfg.Clock.Mono(), 0
	k.pool.Store(p)
	k.changed.all()
	k.cfg.Log.Info("gossiping", "address", p.Addr(), "cluster", is.Cluster, "key", KeyID(is.Key))
}

func (k *Keeper) open(ctx context.Context, is Facts) (*Pool, error) {
	cfg := k.bare
	cfg.Cluster, cfg.Key = is.Cluster, is.Key
	if cfg.Advertise != "" {
		found, err := resolve(ctx, cfg.Advertise)
		if err != nil {
			return nil, errs.E("gossip.keeper", errs.KindOf(err), "The address to advertise, "+cfg.Advertise+", is not known.", err)
		}
		cfg.Advertise = found[0].String()
	}
	return Open(cfg)
}

// complain logs trouble, but not the same again and again.
func (k *Keeper) complain(what string, err error) {
	if k.trouble != err.Error() {
		k.trouble = err.Error()
		k.cfg.Log.Warn(what, "error", err)
	}
}

// lonely says when the node finds nobody for long, and when it is over.
func (k *Keeper) lonely(p *Pool) {
	now := k.cfg.Clock.Mono()
	if _, alive := p.known(); alive > 1 || k.cfg.Seeds == nil {
		if k.told != 0 {
			k.cfg.Log.Info("gossip finds others again", "alive", alive)
		}
		k.since, k.told = now, 0
		return
	}
	if now-k.since < aloneFor || k.told != 0 && now-k.told < aloneEvery {
		return
	}
	if seeds := k.cfg.Seeds(); len(seeds) > 0 {
		k.told = now
		k.cfg.Log.Warn("gossip finds nobody; it goes on trying", "seeds", seeds[:min(len(seeds), maxJoin)])
	}
}

// leave says farewell and closes the pool, if one is open.
func (k *Keeper) leave() {
	p := k.pool.Load()
	if p == nil {
		return
	}
	t := k.cfg.Timing
	ctx, cancel := context.WithTimeout(context.Background(), 2*t.Leave+t.Linger+time.Second)
	defer cancel()
	if err := p.Leave(ctx); err != nil {
		k.cfg.Log.Warn("the farewell failed", "error", err)
	}
	k.pool.Store(nil)
	k.changed.all()
}

// Alarms gives the pool's; none if it is not open.
func (k *Keeper) Alarms() []Alarm {
	if p := k.pool.Load(); p != nil {
		return p.Alarms()
	}
	return nil
}

// Stats gives the pool's, and whether it is open.
func (k *Keeper) Stats() (s Stats, open bool) {
	if p := k.pool.Load(); p != nil {
		return p.Stats(), true
	}
	return s, false
}
