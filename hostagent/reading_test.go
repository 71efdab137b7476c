package hostagent_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
)

// TestReading: the agent tells its guests' states, its steps, and how long ago
// it heard the control plane.
func TestReading(t *testing.T) {
	r := newRig(t, false, nil)
	if got := r.agent.Read(); got.Heard || got.Confirmed || got.Index != 0 || len(got.States) != 0 {
		t.Errorf("before anything: %+v", got)
	}
	off := guest(2)
	off.Power = assign.Off
	r.plane.put(guest(1), off)
	r.wantSeen("guest-1", assign.Running)
	r.wantSeen("guest-2", assign.Shutoff)
	r.rest()
	got := r.agent.Read()
	if got.States[assign.Running] != 1 || got.States[assign.Shutoff] != 1 || !got.Heard || !got.Confirmed || got.Index != 1 || got.Pending != 0 {
		t.Errorf("at rest: %+v", got)
	}
	if got.Steps[hostagent.Start] != 1 || got.Steps[hostagent.Define] != 2 || got.Failures[hostagent.Start] != 0 {
		t.Errorf("steps %v, failed %v", got.Steps, got.Failures)
	}
	r.clock.Advance(time.Minute)
	if got := r.agent.Read(); got.Silence != time.Minute {
		t.Errorf("silence of %v after a minute", got.Silence)
	}
	r.plane.setDown(true)
	r.round()
	if got := r.agent.Read(); got.Silence != time.Minute || got.Away != 1 {
		t.Errorf("away: silence of %v, %d failures", got.Silence, got.Away)
	}
	// A refusal is an answer.
	r.plane.setDown(false)
	r.plane.mu.Lock()
	r.plane.refuse["guest-1"] = true
	r.plane.mu.Unlock()
	r.driver.StopSelf("guest-1")
	for range 10 {
		r.agent.Sweep(context.Background())
		if err := r.agent.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.agent.Read(); got.Silence != 0 || got.Dropped != 1 {
		t.Errorf("after a refused report: silence of %v, %d dropped", got.Silence, got.Dropped)
	}
}

// TestReady: an agent says what it waits for.
func TestReady(t *testing.T) {
	r := newRig(t, true, nil)
	want := func(why string) {
		t.Helper()
		r.await("ready: "+why, func() bool { return strings.Contains(r.agent.Ready(), why) && (why != "" || r.agent.Ready() == "") })
	}
	want("hypervisor was not reached")
	r.plane.setDown(true)
	stop := r.start()
	defer func() { stop() }()
	want("does not answer")
	r.plane.put(guest(1))
	r.plane.setDown(false)
	want("")
	r.net.FailNext(1 << 30)
	r.plane.put(guest(1), guest(2))
	want("network")
	r.net.FailNext(0)
	want("")
	stop()
	r.restart()
	r.plane.setDown(true)
	stop = r.start()
	want("does not answer")
	r.plane.setDown(false)
	want("")
}

// TestImageCacheTellsItsSize, also of what it found when it was opened.
func TestImageCacheTellsItsSize(t *testing.T) {
	p := newPlane(false)
	body := bytes.Repeat([]byte{7}, 1000)
	image := imageOf(body)
	p.images[image.SHA256] = body
	c := hostagent.ImageCacheConfig{Dir: t.TempDir(), Open: p.Image, Log: slog.New(slog.DiscardHandler)}
	cache, err := hostagent.OpenImageCache(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := cache.Ensure(t.Context(), image); err != nil {
		t.Fatal(err)
	}
	again, err := hostagent.OpenImageCache(c)
	if err != nil {
		t.Fatal(err)
	}
	if cache.Bytes() != 1000 || again.Bytes() != 1000 {
		t.Errorf("%d bytes, and %d when opened again; want 1000", cache.Bytes(), again.Bytes())
	}
}
