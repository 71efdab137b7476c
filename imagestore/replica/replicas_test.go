package replica_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/imagestore/replica"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// cloud is some control nodes without a wire between them.
type cloud struct {
	t     *testing.T
	clock *clock.Fake
	nodes map[string]*node
	names []string

	mu     sync.Mutex
	away   map[string]bool
	twist  bool // what is fetched is damaged on the way
	calls  int
	wanted []imagestore.Entry
}

type node struct {
	name     string
	store    *imagestore.Store
	replicas *replica.Replicas
}

func newCloud(t *testing.T, names ...string) *cloud {
	c := &cloud{t: t, clock: clock.NewFake(time.Unix(0, 0)), nodes: map[string]*node{}, names: names, away: map[string]bool{}}
	for _, name := range names {
		s, err := imagestore.Open(t.TempDir(), 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		c.nodes[name] = &node{name: name, store: s, replicas: replica.New(replica.Config{Store: s, Peer: c, Others: c.others(name),
			Wanted: c.want, Clock: c.clock, Log: slog.New(slog.DiscardHandler)})}
	}
	return c
}

func (c *cloud) others(me string) func() []string {
	return func() (out []string) {
		for _, n := range c.names {
			if n != me {
				out = append(out, n)
			}
		}
		return out
	}
}

func (c *cloud) want() []imagestore.Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted
}

func (c *cloud) reach(name string) (*node, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.away[name] {
		return nil, false, errs.Errorf("test", errs.Unavailable, "away")
	}
	return c.nodes[name], c.twist, nil
}

// Fetch implements replica.Peer.
func (c *cloud) Fetch(_ context.Context, address, sum string) (io.ReadCloser, error) {
	n, twist, err := c.reach(address)
	if err != nil {
		return nil, err
	}
	f, _, err := n.store.Open(sum)
	if err != nil || !twist {
		return f, err
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader([]byte("x")), f)), nil
}

// Push implements replica.Peer.
func (c *cloud) Push(ctx context.Context, address string, e imagestore.Entry, body io.Reader) error {
	n, _, err := c.reach(address)
	if err != nil {
		return err
	}
	return n.replicas.Take(ctx, e, body)
}

// upload puts bytes on a node.
func (c *cloud) upload(name, text string) imagestore.Entry {
	c.t.Helper()
	b, err := c.nodes[name].store.Put(c.t.Context(), bytes.NewReader([]byte(text)), 0)
	if err != nil {
		c.t.Fatal(err)
	}
	return imagestore.Entry{SHA256: b.SHA256, Size: b.Size}
}

func (c *cloud) have(e imagestore.Entry) (n int) {
	for _, x := range c.nodes {
		if x.store.Has(e.SHA256) {
			n++
		}
	}
	return n
}

func TestSpreadNeedsAMajority(t *testing.T) {
	c := newCloud(t, "a", "b", "c", "d", "e")
	c.away["b"], c.away["c"] = true, true
	e := c.upload("a", "image")
	if err := c.nodes["a"].replicas.Spread(t.Context(), e.SHA256); err != nil || c.have(e) < 3 {
		t.Errorf("with two away: %v, on %d nodes", err, c.have(e))
	}
	c.away["d"] = true
	other := c.upload("a", "other")
	if err := c.nodes["a"].replicas.Spread(t.Context(), other.SHA256); !errs.Is(err, errs.Unavailable) {
		t.Errorf("with three away: %v", err)
	}
	alone := newCloud(t, "a")
	e = alone.upload("a", "image")
	if err := alone.nodes["a"].replicas.Spread(t.Context(), e.SHA256); err != nil || alone.calls != 0 {
		t.Errorf("alone: %v after %d calls", err, alone.calls)
	}
}

func TestNodesFetchWhatTheyLack(t *testing.T) {
	c := newCloud(t, "a", "b", "c")
	e := c.upload("a", "image")
	c.wanted = []imagestore.Entry{e}
	c.away["a"] = true
	b := c.nodes["b"].replicas
	if _, _, err := b.Open(t.Context(), e); !errs.Is(err, errs.Unavailable) {
		t.Errorf("nobody has it: %v", err)
	}
	c.away["a"], c.twist = false, true
	if _, _, err := b.Open(t.Context(), e); !errs.Is(err, errs.Unavailable) || c.have(e) != 1 {
		t.Errorf("damaged on the way: %v, on %d nodes", err, c.have(e))
	}
	c.twist = false
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Run(ctx, func() <-chan struct{} { return nil })
	}()
	for !c.nodes["b"].store.Has(e.SHA256) {
		c.clock.Advance(time.Second)
	}
	cancel()
	<-done
	f, size, err := c.nodes["c"].replicas.Open(t.Context(), e)
	if err != nil || size != e.Size {
		t.Fatalf("opened by way of another node: %d, %v", size, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil || hex.EncodeToString(h.Sum(nil)) != e.SHA256 {
		t.Errorf("other bytes: %v", err)
	}
	if s := b.Stats(); s.Fetched != 1 || s.Failed < 2 {
		t.Errorf("%+v", s)
	}
}

func TestManyAskOnce(t *testing.T) {
	c := newCloud(t, "a", "b")
	e := c.upload("a", "image")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			f, _, err := c.nodes["b"].replicas.Open(t.Context(), e)
			if err == nil {
				err = f.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if c.calls != 1 {
		t.Errorf("%d transfers", c.calls)
	}
}

// TestGarbage: bytes that no image names stay for a while, longer if they are
// pushed again meanwhile, and go then; what is named stays.
func TestGarbage(t *testing.T) {
	c := newCloud(t, "a")
	named, stray, again := c.upload("a", "named"), c.upload("a", "stray"), c.upload("a", "again")
	c.wanted = []imagestore.Entry{named}
	a := c.nodes["a"]
	ctx, cancel := context.WithCancel(t.Context())
	looked := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.replicas.Run(ctx, func() <-chan struct{} {
			select {
			case looked <- struct{}{}:
			case <-ctx.Done():
			}
			return nil
		})
	}()
	look := func(after time.Duration) {
		c.clock.Advance(after)
		for c.clock.Waiting() == 0 {
			c.clock.Advance(0)
		}
		c.clock.Advance(31 * time.Second)
		<-looked
	}
	<-looked
	look(0)
	look(3 * time.Hour)
	if err := a.replicas.Take(t.Context(), again, bytes.NewReader(nil)); err != nil {
		t.Error(err)
	}
	look(0)
	look(3 * time.Hour)
	look(0)
	if !a.store.Has(named.SHA256) || a.store.Has(stray.SHA256) || !a.store.Has(again.SHA256) {
		t.Errorf("named %v, stray %v, pushed again %v", a.store.Has(named.SHA256), a.store.Has(stray.SHA256), a.store.Has(again.SHA256))
	}
	cancel()
	<-done
}
