package gossip

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

func b64(key []byte) string { return base64.StdEncoding.EncodeToString(key) }

// TestRotation changes the key of a running pool, step by step on every node.
// Nobody falls out, and in the end the old key is worth nothing.
func TestRotation(t *testing.T) {
	pools := openAll(t, "n1", "n2", "n3")
	shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	old, fresh := key(1), key(2)
	steps := []struct {
		name string
		do   func(*Pool) error
	}{
		{"install", func(p *Pool) error { return p.InstallKey(fresh) }},
		{"use", func(p *Pool) error { return p.UseKey(fresh) }},
		{"remove", func(p *Pool) error { return p.RemoveKey(old) }},
	}
	for _, step := range steps {
		for range 2 { // again is fine
			for _, p := range pools {
				if err := step.do(p); err != nil {
					t.Fatalf("%s on %s: %v", step.name, p.cfg.Name, err)
				}
				// In the middle of a step, too, all can talk to all.
				for _, q := range pools {
					if q != p {
						join(t, p, q)
						join(t, q, p)
					}
				}
			}
		}
		shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	}
	late := open(t, config("late"))
	if n, err := late.Join(t.Context(), []string{pools[0].Addr().String()}); n != 0 || !errs.Is(err, errs.Unavailable) {
		t.Errorf("joined with the old key: %d, %v", n, err)
	}
	cfg := config("new")
	cfg.Key = fresh
	newcomer := open(t, cfg)
	join(t, newcomer, pools[0])
	shows(t, "n1 alive, n2 alive, n3 alive, new alive", append(pools, newcomer)...)
}

// TestStartAmidRotation: a node that starts while the others are half through
// has both keys from the start.
func TestStartAmidRotation(t *testing.T) {
	cfg := config("n1")
	cfg.Key, cfg.SecondKey = key(2), key(1)
	n1, n2 := open(t, cfg), open(t, config("n2"))
	if err := n2.InstallKey(key(2)); err != nil {
		t.Fatal(err)
	}
	join(t, n2, n1)
	shows(t, "n1 alive, n2 alive", n1, n2)
}

func TestKeysAreBounded(t *testing.T) {
	p := open(t, config("n1"))
	want := func(keys ...[]byte) {
		t.Helper()
		var ids []string
		for _, k := range keys {
			ids = append(ids, KeyID(k))
		}
		if got := p.Keys(); !slices.Equal(got, ids) {
			t.Errorf("keys %v, want %v", got, ids)
		}
	}
	refused := func(err error, kind errs.Kind) {
		t.Helper()
		if !errs.Is(err, kind) {
			t.Errorf("got %v, want %v", err, kind)
		}
	}
	refused(p.InstallKey(key(2)[:16]), errs.Invalid)
	refused(p.InstallKey(nil), errs.Invalid)
	refused(p.UseKey(key(2)), errs.NotFound)
	refused(p.RemoveKey(key(1)), errs.Conflict)
	if err := p.RemoveKey(key(5)); err != nil {
		t.Error(err)
	}
	fresh := key(2)
	if err := p.InstallKey(fresh); err != nil {
		t.Fatal(err)
	}
	clear(fresh) // the caller may wipe what it gave
	want(key(1), key(2))
	refused(p.InstallKey(key(3)), errs.Conflict)
	if err := p.UseKey(key(2)); err != nil {
		t.Fatal(err)
	}
	want(key(2), key(1))
	refused(p.RemoveKey(key(2)), errs.Conflict)
	if err := p.RemoveKey(key(1)); err != nil {
		t.Fatal(err)
	}
	want(key(2))
	if err := p.InstallKey(key(3)); err != nil {
		t.Error(err)
	}
}
