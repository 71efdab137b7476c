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

// TestDemoComesAndGoes runs the whole demo on real guests, on five machines,
// restarts all of it, kindly and not, uses the cloud, and then removes
// everything: nothing of it may be left.
func TestDemoComesAndGoes(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	const prefix = "kvtest"
	bin, guest := where(t, "JEPSEN_BIN", "bin/kvorum"), where(t, "JEPSEN_GUEST", "out/guest")
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	o := cloud.Options{Prefix: prefix, Dir: "/tmp/" + prefix, Range: netip.MustParsePrefix("10.232.0.0/16"), Binary: bin, Controls: 3, Agents: 2, Clock: clock.Real{},
		ControlFlags: []string{"--control.host_lease", "5s"}}
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
	for _, next := range []struct {
		name string
		do   func(context.Context, *testing.T, *show)
	}{{"restart all programs", restartPrograms}, {"cut the power of all machines", cutThePower}, {"go on", goOn}} {
		if !t.Run(next.name, func(t *testing.T) { next.do(ctx, t, s) }) {
			t.Fatal(s.cloud.Tails())
		}
	}
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
