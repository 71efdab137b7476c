package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// TestOneNodeNoticesADeadHost: a control node alone, a host that renews its
// lease, falls silent, is called dead, and comes back.
func TestOneNodeNoticesADeadHost(t *testing.T) {
	conf := config.Default()
	conf.Node, conf.DataDir = "n1", t.TempDir()
	conf.Public.Listen, conf.Control.Listen, conf.Agent.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	conf.Agent.Observe = ""
	conf.Control.Bootstrap, conf.Agent.Driver = true, "sim"
	conf.Control.HostLease = config.Span(time.Second)
	log := slog.New(slog.DiscardHandler)
	n, err := openControl(t.Context(), conf, log, raftTimes{election: devElection})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- errors.Join(n.run(ctx), n.close()) }()
	await := func(what string, ok func() bool) {
		t.Helper()
		for !ok() {
			if clock.Sleep(ctx, n.clock, 5*time.Millisecond) != nil {
				t.Fatalf("never: %s", what)
			}
		}
	}
	await("the node runs", func() bool { return n.bound.Load() != nil && n.operatorDoor().Ready() == "" })

	host := conf
	host.DataDir = filepath.Join(conf.DataDir, "host")
	host.Agent.Control = []string{n.port.Addr().String()}
	if host.Agent.Join, err = n.devToken(ctx, host.Node); err != nil {
		t.Fatal(err)
	}
	verdict := func(down bool) func() bool {
		return func() bool {
			for h := range n.machine.View().Hosts() {
				return h.Down == down
			}
			return false
		}
	}
	for range 2 {
		a, err := openAgent(ctx, host, log)
		if err != nil {
			t.Fatal(err)
		}
		life, end := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- errors.Join(a.run(life), a.close()) }()
		await("the host is up", verdict(false))
		await("the host holds its lease", func() bool { return a.agent.Lease().Held(n.clock.Mono()) })
		end()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		await("the host is down", verdict(true))
	}
	granted := 0.0
	for _, s := range n.leaseSamples() {
		if s.Name == "lease_requests" && strings.Join(s.Labels, "=") == "result=granted" {
			granted = s.Value
		}
	}
	if granted == 0 {
		t.Error("the metrics show no renewal")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLeaseBounds: a lease so short that a healthy host would lose it, or longer
// than agents take, is refused at the start.
func TestLeaseBounds(t *testing.T) {
	for _, span := range []time.Duration{0, time.Millisecond, 2 * time.Hour} {
		conf := config.Default()
		conf.Node, conf.DataDir, conf.Control.Bootstrap = "n1", t.TempDir(), true
		conf.Control.HostLease = config.Span(span)
		if _, err := openControl(t.Context(), conf, slog.New(slog.DiscardHandler), raftTimes{}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%v: %v", span, err)
		}
	}
}
