package gossip

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// told is what a keeper is told, and what it logs.
type told struct {
	lines
	set   sync.Mutex
	facts Facts
	err   error
}

func (s *told) say(f Facts, err error) {
	s.set.Lock()
	defer s.set.Unlock()
	s.facts, s.err = f, err
}

func (s *told) get() (Facts, error) {
	s.set.Lock()
	defer s.set.Unlock()
	return s.facts, s.err
}

// kept runs a keeper on a port of its own until the test ends.
func kept(t *testing.T, cfg Config, s *told) *Keeper {
	t.Helper()
	port, err := Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Bind, cfg.Port, cfg.Cluster, cfg.Key = "", port, "", nil
	cfg.Log = slog.New(slog.NewTextHandler(s, nil))
	k, err := NewKeeper(cfg, s.get)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); k.Run(ctx) }()
	t.Cleanup(func() {
		end()
		<-done
		if err := port.Close(); err != nil {
			t.Error(err)
		}
		if k.Pool() != nil {
			t.Error("the pool is open after Run")
		}
	})
	return k
}

// keeps waits until a keeper's members give that picture, woken by Changed alone.
func keeps(t *testing.T, want string, k *Keeper) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		changed := k.Changed()
		var all []string
		for _, m := range k.Members() {
			all = append(all, m.Name+" "+m.Status.String())
		}
		got := strings.Join(all, ", ")
		if got == want {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("it sees %q, want %q; it says %q", got, want, k.Name())
		}
	}
}

// TestKeeperFollowsTheFacts: nothing is opened before they are known, and other
// ones make another pool at the same port. Trouble is logged once, and stops
// nothing.
func TestKeeperFollowsTheFacts(t *testing.T) {
	s := &told{err: errs.Errorf("test", errs.NotFound, "not yet")}
	friend := open(t, config("n2"))
	cfg := config("n1")
	cfg.Seeds = func() []string { return []string{friend.Addr().String()} }
	k := kept(t, cfg, s)
	if _, open := k.Stats(); open || k.Members() != nil || k.Alarms() != nil {
		t.Error("it is open before it is known how")
	}
	s.say(Facts{}, errs.Errorf("test", errs.Internal, "the key is sealed"))
	eventually(t, "the trouble in the log", func() bool { return s.has("the key is sealed") })
	s.say(Facts{Cluster: testCluster, Key: key(1)[:5]}, nil)
	eventually(t, "the next trouble in the log", func() bool { return s.has("needs a key of 32 bytes, not of 5") })
	s.say(Facts{Cluster: testCluster, Key: key(1)}, nil)
	keeps(t, "n1 alive, n2 alive", k)
	shows(t, "n1 alive, n2 alive", friend)
	before := k.Pool().Addr()

	s.say(Facts{}, errs.Errorf("test", errs.NotFound, "forgotten")) // which changes nothing
	other := config("n3")
	other.Cluster, other.Key = testCluster+".2", key(2)
	restored := open(t, other)
	s.say(Facts{Cluster: other.Cluster, Key: other.Key}, nil)
	shows(t, "n1 left, n2 alive", friend)
	keeps(t, "n1 alive", k)
	join(t, restored, k.Pool())
	keeps(t, "n1 alive, n3 alive", k)
	if stats, open := k.Stats(); !open || stats.Alive != 2 || k.Pool().Addr() != before {
		t.Errorf("%+v, open %v, at %v", stats, open, k.Pool().Addr())
	}
}

// TestKeeperLeaves says farewell when it ends.
func TestKeeperLeaves(t *testing.T) {
	friend := open(t, config("n2"))
	t.Run("its life", func(t *testing.T) {
		cfg := config("n1")
		cfg.Seeds = func() []string { return []string{friend.Addr().String()} }
		keeps(t, "n1 alive, n2 alive", kept(t, cfg, &told{facts: Facts{Cluster: testCluster, Key: key(1)}}))
	})
	shows(t, "n1 left, n2 alive", friend)
}

// TestKeeperSaysThatItIsAlone once in a while, and when that is over; without
// anybody to look for, being alone is nothing to speak of.
func TestKeeperSaysThatItIsAlone(t *testing.T) {
	now, heard := clock.NewFake(time.Unix(0, 0)), &lines{}
	cfg := config("n1")
	cfg.Log = slog.New(slog.NewTextHandler(heard, nil))
	var seeds []string
	cfg.Seeds = func() []string { return seeds }
	cfg.fill()
	cfg.Clock = now
	k := &Keeper{cfg: cfg}
	p := open(t, config("n1"))
	says := func(want int) {
		t.Helper()
		k.lonely(p)
		if heard.count() != want {
			t.Fatalf("%d lines, want %d: %q", heard.count(), want, heard.all)
		}
	}
	now.Advance(time.Hour)
	says(0)
	seeds = []string{"127.0.0.1:1"}
	says(1)
	now.Advance(aloneEvery - 1)
	says(1)
	now.Advance(1)
	says(2)
	friend := open(t, config("n2"))
	join(t, friend, p)
	shows(t, "n1 alive, n2 alive", p)
	says(3)
	if !heard.has("level=WARN msg=\"gossip finds nobody") || !heard.has("level=INFO msg=\"gossip finds others again") {
		t.Errorf("%q", heard.all)
	}
	if err := friend.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows(t, "n1 alive, n2 left", p)
	now.Advance(aloneFor - 1)
	says(3)
	now.Advance(1)
	says(4)
}

func TestKeepersThatCannotBe(t *testing.T) {
	all, err := Listen("0.0.0.0:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	for name, edit := range map[string]func(*Config){
		"no port":              func(c *Config) { c.Port = nil },
		"no name":              func(c *Config) { c.Name = "" },
		"no address to others": func(c *Config) { c.Advertise = "" },
	} {
		cfg := config("n1")
		cfg.Bind, cfg.Port, cfg.Advertise = "", all, "localhost:1"
		if _, err := NewKeeper(cfg, (&told{}).get); err != nil {
			t.Fatal(err)
		}
		edit(&cfg)
		if _, err := NewKeeper(cfg, (&told{}).get); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeeperLooksUpWhatItAdvertises when it opens the pool, and tries again.
func TestKeeperLooksUpWhatItAdvertises(t *testing.T) {
	s := &told{facts: Facts{Cluster: testCluster, Key: key(1)}}
	cfg := config("n1")
	cfg.Advertise = "nobody.invalid:1"
	kept(t, cfg, s)
	eventually(t, "the trouble in the log", func() bool { return s.has("The address to advertise, nobody.invalid:1, is not known") })
	cfg.Advertise = "localhost:7"
	k := kept(t, cfg, s)
	keeps(t, "n1 alive", k)
	if at := k.Pool().Addr(); at.Port() != 7 || !at.Addr().IsLoopback() {
		t.Errorf("advertised as %v", at)
	}
}
