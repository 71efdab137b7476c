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

// TestDemoComesAndGoes runs the whole demo on real guests, uses the cloud, and
// then removes everything: nothing of it may be left.
func TestDemoComesAndGoes(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	const prefix = "kvtest"
	bin, guest := where(t, "JEPSEN_BIN", "bin/kvorum"), where(t, "JEPSEN_GUEST", "out/guest")
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	o := cloud.Options{Prefix: prefix, Dir: "/tmp/" + prefix, Range: netip.MustParsePrefix("10.232.0.0/16"), Binary: bin, Controls: 3, Agents: 2, Clock: clock.Real{}}
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
	goOnUsing(ctx, t, s)
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

// goOnUsing uses the cloud that the demo leaves, with one control node dead: a
// server is stopped and deleted, and its guest goes.
func goOnUsing(ctx context.Context, t *testing.T, s *show) {
	t.Helper()
	g := s.guests[len(s.guests)-1]
	for _, args := range [][]string{{"server", "stop", g.name}, {"server", "delete", "--wait", g.name}} {
		if _, err := s.command(args...); err != nil {
			t.Error(err)
		}
	}
	for {
		if _, err := s.process(g); err != nil {
			return
		}
		if err := clock.Sleep(ctx, s.opts.Clock, 200*time.Millisecond); err != nil {
			t.Fatal("the deleted guest still runs")
		}
	}
}
