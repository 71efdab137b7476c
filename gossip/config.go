package gossip

import (
	"bytes"
	"log/slog"
	"net/netip"
	"regexp"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Role is what a member is to its cluster, as it says itself.
type Role string

// The roles.
const (
	Control Role = "control"
	Agent   Role = "agent"
)

// keyBytes is the length of a key: AES-256.
const keyBytes = 32

// Config says everything that a Pool needs. Zero values of the optional part
// take the defaults named beside them.
type Config struct {
	// Name is the node's UUID from its certificate: letters, digits, dots and
	// dashes, at most 128. Required.
	Name string
	// Cluster is the cluster's UUID, with its incarnation if it has one. Pool
	// names the pool. Together they are the label that every packet begins
	// with and is bound to: what has another label is dropped. At most 200
	// bytes. Both required.
	Cluster, Pool string
	// Key encrypts everything that is sent, and is accepted: 32 random bytes.
	// Required; a pool is never open to those without a key. SecondKey is
	// accepted too; a node that starts in the middle of a rotation has both.
	Key, SecondKey []byte
	// Port is where the node gossips, and what its pools share. Without one the
	// pool opens a port of its own at Bind, an address and port; port 0 takes a
	// free one. Advertise is where the others reach it, if that is not where it
	// listens; required if that is an unspecified address.
	Port            *Port
	Bind, Advertise string
	// Role, Version and RPC are the three tags that the others see: what the
	// node is (required), its program's version, and the address of its
	// internal port. Everything else is asked for over that port. Together
	// they fit into 512 bytes.
	Role         Role
	Version, RPC string
	// Seeds names addresses ("host:port") at which others may be found. It is
	// asked again each time, so that it can follow the cluster. The pool goes
	// on joining them until it is no longer alone, and now and then those that
	// it does not know. nil means that only Join joins.
	Seeds func() []string
	// Allowed are the networks that packets, connections and members may come
	// from. Empty means all. It must hold the node's own address.
	Allowed []netip.Prefix
	// MaxMembers bounds the members, dead ones included; further ones are
	// ignored. Default 4096: larger pools need a design of their own.
	MaxMembers int
	// Clock stamps alarms and paces wake-ups and seeds; Serf itself runs on
	// the machine's. Default clock.Real.
	Clock clock.Clock
	// Log gets Serf's and the pool's own lines. Default: discard.
	Log *slog.Logger
	// Timing is the pace.
	Timing Timing
}

// Timing is the pace of a pool. All members of a pool should have the same.
type Timing struct {
	// Probe is how often a node pings another, and ProbeTimeout how long it
	// waits for the answer. Defaults 1 s and half of Probe.
	Probe, ProbeTimeout time.Duration
	// Suspicion times the logarithm of the pool's size times Probe is how long
	// a silent node may defend itself before it counts as failed. Default 4.
	Suspicion int
	// Gossip is how often news is passed on. Default 200 ms.
	Gossip time.Duration
	// Sync is how often a node exchanges the whole list with another; larger
	// pools do it less often by themselves. Default 30 s.
	Sync time.Duration
	// Stream bounds one exchange of the whole list. Default 5 s.
	Stream time.Duration
	// Reconnect is how often a failed member is tried again. Default 30 s.
	Reconnect time.Duration
	// KeepGone is how long failed members are tried, and shown like those that
	// left. Default 72 h.
	KeepGone time.Duration
	// Reclaim is how long after its failure a name may come back at another
	// address; before that it is a conflict. Default 30 s.
	Reclaim time.Duration
	// Leave bounds the sending of a farewell, and Linger is how long a leaving
	// node still answers, so that nobody takes it for dead. Defaults 5 s, 1 s.
	Leave, Linger time.Duration
	// Quiet is how long Changed gathers changes into one wake-up. Default
	// 100 ms.
	Quiet time.Duration
	// Seek is how often the seeds are looked at, give or take half of it.
	// Default 10 s.
	Seek time.Duration
}

func or[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func orQuiet(l *slog.Logger) *slog.Logger {
	or(&l, slog.New(slog.DiscardHandler))
	return l
}

func (c *Config) fill() {
	or(&c.MaxMembers, 4096)
	if c.Clock == nil {
		c.Clock = clock.Real{}
	}
	c.Log = orQuiet(c.Log).With("pool", c.Pool)
	t := &c.Timing
	or(&t.Probe, time.Second)
	or(&t.ProbeTimeout, t.Probe/2)
	or(&t.Suspicion, 4)
	or(&t.Gossip, 200*time.Millisecond)
	or(&t.Sync, 30*time.Second)
	or(&t.Stream, 5*time.Second)
	or(&t.Reconnect, 30*time.Second)
	or(&t.KeepGone, 72*time.Hour)
	or(&t.Reclaim, 30*time.Second)
	or(&t.Leave, 5*time.Second)
	or(&t.Linger, time.Second)
	or(&t.Quiet, 100*time.Millisecond)
	or(&t.Seek, 10*time.Second)
}

// label is what every packet and stream begins with.
func (c *Config) label() string { return c.Cluster + "/" + c.Pool }

var goodName = regexp.MustCompile(`^[A-Za-z0-9.-]{1,128}$`)

// check refuses what the library would only find out later, or by a panic.
func (c *Config) check() error {
	const op = "gossip.config"
	switch tags := c.tagBytes(); {
	case !goodName.MatchString(c.Name):
		return errs.Errorf(op, errs.Invalid, "%q is no name for a node: 1 to 128 letters, digits, dots and dashes are", c.Name)
	case c.Cluster == "" || c.Pool == "" || len(c.label()) > 200:
		return errs.Errorf(op, errs.Invalid, "a pool needs the cluster's UUID and a name, together at most 200 bytes")
	case c.Role == "":
		return errs.Errorf(op, errs.Invalid, "a role is needed, %q or %q", Control, Agent)
	case tags > memberlist.MetaMaxSize:
		return errs.Errorf(op, errs.TooLarge, "the tags role, version and rpc take %d bytes, %d is the most", tags, memberlist.MetaMaxSize)
	case c.MaxMembers < 0:
		return errs.Errorf(op, errs.Invalid, "%d is no limit for members", c.MaxMembers)
	}
	if err := checkKey(c.Key); err != nil {
		return err
	}
	if len(c.SecondKey) > 0 {
		if err := checkKey(c.SecondKey); err != nil {
			return err
		}
	}
	return c.Timing.check()
}

func checkKey(key []byte) error {
	if len(key) != keyBytes {
		return errs.Errorf("gossip.key", errs.Invalid, "a pool needs a key of %d bytes, not of %d; it is never open to those without one", keyBytes, len(key))
	}
	if bytes.Equal(key, make([]byte, keyBytes)) {
		return errs.Errorf("gossip.key", errs.Invalid, "a key of zeros only is no key")
	}
	return nil
}

func (t Timing) check() error {
	all := []time.Duration{t.Probe, t.ProbeTimeout, t.Gossip, t.Sync, t.Stream, t.Reconnect, t.KeepGone,
		t.Reclaim, t.Leave, t.Linger, t.Quiet, t.Seek, time.Duration(t.Suspicion)}
	for _, d := range all {
		if d < 0 {
			return errs.Errorf("gossip.config", errs.Invalid, "a pace below zero is none")
		}
	}
	if t.ProbeTimeout > t.Probe {
		return errs.Errorf("gossip.config", errs.Invalid, "a probe's timeout of %v is longer than the %v between probes", t.ProbeTimeout, t.Probe)
	}
	return nil
}

// addresses reads Bind, or where Port listens, and Advertise. The second is
// unset if it is the first.
func (c *Config) addresses() (bind, advertise netip.AddrPort, err error) {
	if c.Port != nil {
		bind = c.Port.Addr()
	} else if bind, err = netip.ParseAddrPort(c.Bind); err != nil {
		return bind, advertise, errs.E("gossip.config", errs.Invalid, "bind is not an address and a port", err)
	}
	bind = netip.AddrPortFrom(bind.Addr().Unmap(), bind.Port())
	own := bind
	if c.Advertise != "" {
		if advertise, err = netip.ParseAddrPort(c.Advertise); err != nil || advertise.Port() == 0 {
			return bind, advertise, errs.E("gossip.config", errs.Invalid, "advertise is not an address and a port", err)
		}
		own = advertise
	}
	if bind.Addr().Zone() != "" || own.Addr().Zone() != "" {
		return bind, advertise, errs.Errorf("gossip.config", errs.Invalid, "an address with a zone means nothing to others")
	}
	if own.Addr().IsUnspecified() {
		return bind, advertise, errs.Errorf("gossip.config", errs.Invalid, "%v says nothing to others: advertise an address that they reach", own.Addr())
	}
	if !allowed(c.Allowed, own.Addr()) {
		return bind, advertise, errs.Errorf("gossip.config", errs.Invalid, "the node's own address %v is not in the allowed networks", own.Addr())
	}
	return bind, advertise, nil
}

// allowed tells whether an address lies in one of the networks, or there are
// none.
func allowed(networks []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap()
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return len(networks) == 0
}
