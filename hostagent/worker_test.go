package hostagent_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
)

// start runs the rig's agent with all its goroutines; stop ends and awaits it.
func (r *rig) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.agent.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			r.t.Errorf("run ended with %v", err)
		}
	}
}

// await polls, and moves the host's clock, until ok.
func (r *rig) await(what string, ok func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for !ok() {
		if clock.Sleep(ctx, clock.Real{}, time.Millisecond) != nil {
			r.t.Fatalf("never: %s; guests %+v", what, r.driver.Snapshot())
		}
		r.clock.Advance(100 * time.Millisecond)
	}
}

// TestRun is the life of many guests with a goroutine each, through a restart of
// the agent and an absence of the control plane.
func TestRun(t *testing.T) {
	r := newRig(t, true, func(o *sim.Options) { o.Faults = sim.Faults{Call: 20, LoseEvent: 3} })
	stop := r.start()
	var gs []assign.Guest
	for n := range 20 {
		gs = append(gs, guest(n))
	}
	r.plane.put(gs...)
	all := func(state assign.State) func() bool {
		return func() bool {
			for _, g := range gs {
				if r.plane.saw(g.ID).State != state {
					return false
				}
			}
			return true
		}
	}
	r.await("all run", all(assign.Running))
	stop()
	starts := r.acts()["start"]

	r.restart()
	stop = r.start()
	r.driver.StopSelf("guest-3")
	r.await("an event is enough", func() bool { return r.plane.saw("guest-3").StoppedItself })
	r.plane.setDown(true)
	r.driver.CrashGuest("guest-4")
	r.await("guest-4 is up again", func() bool { return r.acts()["start"] == starts+1 })
	for i := range gs {
		gs[i].Power = assign.Gone
	}
	r.plane.put(gs...)
	r.plane.setDown(false)
	r.await("all removed", all(assign.Removed))
	r.plane.put()
	r.await("all forgotten", func() bool { return r.agent.Counts().Guests == 0 })
	gs = []assign.Guest{guest(3)}
	r.plane.put(gs...)
	r.await("one comes back", all(assign.Running))
	stop()
}

// TestDeleteEndsAFetch: a guest that is to go does not wait for its image.
func TestDeleteEndsAFetch(t *testing.T) {
	r := newRig(t, true, nil)
	fetching := make(chan struct{}, 1)
	r.images.Fetch = func(ctx context.Context, _ assign.Image) error {
		fetching <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	stop := r.start()
	defer stop()
	g := guest(1)
	r.plane.put(g)
	<-fetching
	g.Power = assign.Gone
	r.plane.put(g)
	r.await("removed", func() bool { return r.plane.saw(g.ID).State == assign.Removed })
}

// ask asks one of the agent's own listeners.
func ask(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// TestHandlers: what the listeners answer, and each only its own.
func TestHandlers(t *testing.T) {
	r := newRig(t, false, nil)
	r.plane.put(guest(1))
	r.wantSeen("guest-1", assign.Running)
	forControl, forWatchers := r.agent.Handler(), r.agent.Observer()
	for _, c := range []struct {
		h      http.Handler
		path   string
		status int
		body   string
	}{
		{forWatchers, "/healthz", 200, `"confirmed":true`},
		{forWatchers, "/v1/guests/guest-1/console", 404, ""},
		{forControl, "/healthz", 404, ""},
		{forControl, "/v1/guests/guest-1/console", 200, "instance-id: guest-1"},
		{forControl, "/v1/guests/guest-1/console?max=8", 200, "login:"},
		{forControl, "/v1/guests/guest-1/console?max=-1", 400, `"kind":"invalid"`},
		{forControl, "/v1/guests/guest-9/console", 404, `"kind":"not found"`},
		{forControl, "/v1/guests/..%2f..%2fetc/console", 404, `"kind":"not found"`},
	} {
		status, body := ask(c.h, c.path)
		if status != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s: %d %q, want %d and %q", c.path, status, body, c.status, c.body)
		}
	}
	if _, body := ask(forControl, "/v1/guests/guest-1/console?max=8"); len(body) != 8 {
		t.Errorf("max=8 gave %d bytes", len(body))
	}
}

// TestHostShutdown: the agent goes first when its host shuts down
// (deploy/kvorum-agent.service), so it does not take a guest that is made to
// stop then for one that its user switched off: it is started when the host is
// back. What its user did switch off, before, stays off.
func TestHostShutdown(t *testing.T) {
	r := newRig(t, true, nil)
	r.plane.put(guest(1), guest(2))
	stop := r.start()
	up := func(id string) func() bool { return func() bool { return r.plane.saw(id).State == assign.Running } }
	r.await("both run", func() bool { return up("guest-1")() && up("guest-2")() })
	r.driver.StopSelf("guest-2")
	r.await("guest-2 is seen to have stopped itself", func() bool { return r.plane.saw("guest-2").StoppedItself })

	stop() // by systemd, before libvirt-guests
	if !r.driver.StopSelf("guest-1") {
		t.Fatal("guest-1 did not run on without its agent")
	}
	r.driver.CrashHost() // the machine is off, and on again: libvirt knows no reasons
	starts := r.acts()["start"]
	r.restart()
	stop = r.start()
	defer stop()
	r.await("guest-1 runs again", func() bool { return r.state("guest-1") == assign.Running })
	r.await("it is told", up("guest-1"))
	if r.state("guest-2") != assign.Shutoff || r.acts()["start"] != starts+1 {
		t.Errorf("guest-2 is %s; %d starts after the boot, want 1", r.state("guest-2"), r.acts()["start"]-starts)
	}
}

// TestWaitingForTheNetworkIsNoFailure: that a guest is looked at before its
// network is made is the order of every create; a network that stays away is
// told of.
func TestWaitingForTheNetworkIsNoFailure(t *testing.T) {
	r := newRig(t, false, nil)
	var log strings.Builder
	a, err := hostagent.New(hostagent.Config{Identity: assign.Capacity{HostID: theHost, Name: "h1", Address: "h1:8772"},
		Driver: r.driver, Network: r.net, Control: r.plane, Leases: r.plane, Nodes: func() []string { return []string{"http://c1"} }, Disk: r.disk, Images: r.images, Clock: r.clock,
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	r.agent = a
	r.net.FailNext(1)
	r.plane.put(guest(1))
	r.wantSeen("guest-1", assign.Running)
	if text := log.String(); strings.Contains(text, "level=WARN") || a.Counts().Failures[hostagent.PlugNetwork] != 0 {
		t.Errorf("an ordinary create counts %v and says:\n%s", a.Counts().Failures, text)
	}
	r.net.FailNext(1 << 30)
	r.plane.put(guest(1), guest(2))
	r.until("a warning", func() bool { return strings.Contains(log.String(), "level=WARN") })
	if text := log.String(); !strings.Contains(text, `msg="step failed" guest=guest-2 step=plug-network`) || !strings.Contains(text, "not applied yet") ||
		a.Counts().Failures[hostagent.PlugNetwork] == 0 {
		t.Errorf("a network that stays away counts %v and says:\n%s", a.Counts().Failures, text)
	}
}
