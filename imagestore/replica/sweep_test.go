package replica

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/clock"
)

// TestGarbage: bytes that no image names stay for a while, longer if they are
// pushed again meanwhile, and go then; what is named stays.
func TestGarbage(t *testing.T) {
	store, err := imagestore.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	put := func(text string) imagestore.Entry {
		b, err := store.Put(t.Context(), bytes.NewReader([]byte(text)), 0)
		if err != nil {
			t.Fatal(err)
		}
		return imagestore.Entry{SHA256: b.SHA256, Size: b.Size}
	}
	named, stray, again := put("named"), put("stray"), put("again")
	clk := clock.NewFake(time.Unix(0, 0))
	r := New(Config{Store: store, Others: func() []string { return nil }, Wanted: func() []imagestore.Entry { return []imagestore.Entry{named} },
		Clock: clk, Log: slog.New(slog.DiscardHandler)})
	have := func(when string, want ...imagestore.Entry) {
		t.Helper()
		if !r.look(t.Context()) {
			t.Errorf("%s: something is missing", when)
		}
		all, err := store.List()
		if err != nil || len(all) != len(want) {
			t.Errorf("%s: %v, %v", when, all, err)
		}
		for _, e := range want {
			if !store.Has(e.SHA256) {
				t.Errorf("%s: %s is gone", when, e.SHA256)
			}
		}
	}
	have("at first", named, stray, again)
	clk.Advance(grace / 2)
	if err := r.Take(t.Context(), again, bytes.NewReader(nil)); err != nil {
		t.Error(err)
	}
	have("half the time later", named, stray, again)
	clk.Advance(grace/2 - 1)
	have("just before the time is over", named, stray, again)
	clk.Advance(1)
	have("when it is over", named, again)
	clk.Advance(grace / 2)
	have("when it is over for what was pushed again", named)
	if n := r.Stats().Removed; n != 2 {
		t.Errorf("%d removed", n)
	}
}
