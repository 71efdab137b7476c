package main

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/cloud"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// where gives a file that `make test` has built before.
func where(t *testing.T, env, otherwise string) string {
	t.Helper()
	path := os.Getenv(env)
	if path == "" {
		path = filepath.Join("..", "..", otherwise)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run `make build guest` first", err)
	}
	return path
}

// TestDemoComesAndGoes runs the whole demo on real guests, kills the agent
// under them, and then removes everything: nothing of it may be left.
func TestDemoComesAndGoes(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	const prefix = "kvtest"
	bin, guest := where(t, "JEPSEN_BIN", "bin/kvorum"), where(t, "JEPSEN_GUEST", "out/guest")
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	o := cloud.Options{Prefix: prefix, Dir: "/tmp/" + prefix, Range: netip.MustParsePrefix("10.232.0.0/16"), Binary: bin, Agents: 1, Clock: clock.Real{}}
	if err := testbed.Sweep(ctx, prefix, o.Clock); err != nil {
		t.Fatal(err)
	}
	before, err := testbed.TakeInventory(ctx, o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := testbed.Sweep(context.Background(), prefix, o.Clock); err != nil {
			t.Error(err)
		}
	})
	s, err := up(ctx, o, guest, filepath.Join(t.TempDir(), "demo.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	agentMayDie(ctx, t, s)
	if err := testbed.Sweep(ctx, prefix, o.Clock); err != nil {
		t.Fatal(err)
	}
	after, err := testbed.TakeInventory(ctx, o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if left := before.Diff(after); len(left) > 0 {
		t.Errorf("demo-down left or took:\n%s", strings.Join(left, "\n"))
	}
}

// agentMayDie kills the agent and starts it again: the guest's process is the
// same, it answers, and it can be stopped and deleted as before.
func agentMayDie(ctx context.Context, t *testing.T, s *show) {
	t.Helper()
	h := s.cloud.Hosts[0]
	// Only those of this host: the machine may have guests of others.
	domains := func() string {
		out, err := h.Command(ctx, "sh", "-c", "pgrep --ns $$ --nslist net -f 'guest=[i]nstance-'").Output()
		if err != nil {
			t.Fatalf("no guest runs: %v", err)
		}
		return string(out)
	}
	running := domains()
	if err := h.Kill("agent"); err != nil {
		t.Fatal(err)
	}
	if err := s.cloud.StartAgent(ctx, h); err != nil {
		t.Fatal(err)
	}
	if err := s.ping(); err != nil {
		t.Errorf("after the agent's restart: %v", err)
	}
	for _, args := range [][]string{{"server", "stop", "second"}, {"server", "delete", "--wait", "second"}} {
		if _, err := s.command(args...); err != nil {
			t.Error(err)
		}
	}
	for strings.Count(domains(), "\n") != 1 {
		if err := clock.Sleep(ctx, s.opts.Clock, 200*time.Millisecond); err != nil {
			t.Fatalf("the deleted guest still runs: %s", domains())
		}
	}
	if now := domains(); !strings.Contains(running, now) {
		t.Errorf("the guest is another process: %s, before %s", now, running)
	}
}
