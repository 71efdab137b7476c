package sim_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

var ctx = context.Background()

func spec(permit uint64) hostagent.Spec {
	return hostagent.Spec{Guest: assign.Guest{ID: "g", Num: 5, Permit: permit, Hostname: "web", VCPUs: 1, RAM: 64}}
}

func ok(t *testing.T, all ...error) {
	t.Helper()
	if err := errors.Join(all...); err != nil {
		t.Fatal(err)
	}
}

func look(t *testing.T, d *sim.Driver) hostagent.Have {
	t.Helper()
	h, err := d.Look(ctx, "g")
	ok(t, err)
	return h
}

// TestDriverContract: every call is idempotent, and what a hypervisor refuses is
// refused.
func TestDriverContract(t *testing.T) {
	clk := clock.NewFake(time.Unix(0, 0))
	d := sim.New(sim.Options{Clock: clk, Latency: sim.Latency{GuestStop: 2 * time.Second}})
	if h := look(t, d); h.State != assign.Missing {
		t.Errorf("at first: %+v", h)
	}
	if err := d.Start(ctx, "g"); !errs.Is(err, errs.NotFound) {
		t.Errorf("start of nothing: %v", err)
	}
	ok(t, d.Kill(ctx, "g"), d.Shutdown(ctx, "g"), d.Remove(ctx, "g"))
	ok(t, d.Define(ctx, spec(3)), d.Define(ctx, spec(4)))
	if h := look(t, d); h.State != assign.Shutoff || h.Permit != 4 || h.Num != 5 || h.Boot != "" || h.StoppedByGuest {
		t.Errorf("defined: %+v", h)
	}
	ok(t, d.Start(ctx, "g"), d.Start(ctx, "g"), d.Define(ctx, spec(9)))
	running := look(t, d)
	if running.State != assign.Running || running.Boot == "" || running.Permit != 4 {
		t.Errorf("running, redefined: %+v", running)
	}
	if err := d.Remove(ctx, "g"); !errs.Is(err, errs.Conflict) {
		t.Errorf("remove of a running guest: %v", err)
	}
	ok(t, d.Shutdown(ctx, "g"))
	clk.Advance(time.Second)
	if h := look(t, d); h.State != assign.Running {
		t.Errorf("too soon: %+v", h)
	}
	clk.Advance(time.Second)
	if h := look(t, d); h.State != assign.Shutoff || !h.StoppedByGuest || h.Permit != 9 {
		t.Errorf("obeyed: %+v", h)
	}
	ok(t, d.Start(ctx, "g"))
	if h := look(t, d); h.Boot == running.Boot {
		t.Error("two boots have one name")
	}
	ok(t, d.Kill(ctx, "g"), d.Kill(ctx, "g"))
	if h := look(t, d); h.State != assign.Shutoff || h.StoppedByGuest {
		t.Errorf("killed: %+v", h)
	}
	ok(t, d.Remove(ctx, "g"), d.Remove(ctx, "g"))
	if h := look(t, d); h.State != assign.Missing {
		t.Errorf("removed: %+v", h)
	}
	if err := d.Define(ctx, hostagent.Spec{Guest: assign.Guest{ID: "n", NICs: make([]assign.NIC, 1)}}); !errs.Is(err, errs.Invalid) {
		t.Errorf("an interface without a link: %v", err)
	}
}

// TestMishaps: what befalls guests without the agent.
func TestMishaps(t *testing.T) {
	d := sim.New(sim.Options{Clock: clock.NewFake(time.Unix(0, 0))})
	ok(t, d.Define(ctx, spec(1)))
	for _, c := range []struct {
		name    string
		do      func()
		state   assign.State
		byGuest bool
	}{
		{"off by itself", func() { d.StopSelf("g") }, assign.Shutoff, true},
		{"crashed", func() { d.CrashGuest("g") }, assign.Crashed, false},
		{"the host lost power", d.CrashHost, assign.Shutoff, false},
		{"paused", func() { d.Pause("g") }, assign.Paused, false},
		{"deaf", func() { d.SetDeaf("g", true); ok(t, d.Shutdown(ctx, "g")) }, assign.Running, false},
	} {
		ok(t, d.Kill(ctx, "g"), d.Start(ctx, "g"))
		c.do()
		if h := look(t, d); h.State != c.state || h.StoppedByGuest != c.byGuest {
			t.Errorf("%s: %+v", c.name, h)
		}
	}
	d.FailNext("start", errs.Errorf("test", errs.Busy, "Later."), 1)
	ok(t, d.Kill(ctx, "g"))
	if err := d.Start(ctx, "g"); !errs.Is(err, errs.Busy) {
		t.Errorf("planned fault: %v", err)
	}
	ok(t, d.Start(ctx, "g"))
	if d.StopSelf("nobody") {
		t.Error("a guest that is not there stopped")
	}
}

// TestConsole: the log is a guest's, is cut from the front and stays bounded.
func TestConsole(t *testing.T) {
	d := sim.New(sim.Options{Clock: clock.NewFake(time.Unix(0, 0))})
	ok(t, d.Define(ctx, spec(1)), d.Start(ctx, "g"))
	b, err := d.Console(ctx, "g", 1<<20)
	ok(t, err)
	for _, want := range []string{"Linux version", "instance-id: g\r\n", "local-hostname: web\r\n", "web login:"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %q in %q", want, b)
		}
	}
	tail, err := d.Console(ctx, "g", 10)
	if err != nil || !bytes.Equal(tail, b[len(b)-10:]) {
		t.Errorf("tail %q, %v", tail, err)
	}
	for range 400 {
		ok(t, d.Kill(ctx, "g"), d.Start(ctx, "g"))
	}
	if b, err := d.Console(ctx, "g", 1<<30); err != nil || len(b) > 64<<10 || !bytes.HasSuffix(b, []byte("web login:\r\n")) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := d.Console(ctx, "nobody", 1); !errs.Is(err, errs.NotFound) {
		t.Errorf("nobody's: %v", err)
	}
}

// TestEventsAreBounded: nobody has to listen, and Close ends the channel.
func TestEventsAreBounded(t *testing.T) {
	d := sim.New(sim.Options{Clock: clock.NewFake(time.Unix(0, 0))})
	for range 1000 {
		ok(t, d.Define(ctx, spec(1)))
	}
	ok(t, d.Close(), d.Close())
	n := 0
	for id := range d.Events() {
		if n++; id != "g" {
			t.Fatalf("event of %q", id)
		}
	}
	if n == 0 || n >= 1000 {
		t.Errorf("%d events", n)
	}
}

// TestLatencyHeedsContext: a call that is called off does nothing.
func TestLatencyHeedsContext(t *testing.T) {
	d := sim.New(sim.Options{Clock: clock.NewFake(time.Unix(0, 0)), Latency: sim.Latency{Define: time.Hour}})
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := d.Define(ended, spec(1)); err == nil || len(d.Snapshot()) != 0 {
		t.Errorf("defined: %v", err)
	}
}
