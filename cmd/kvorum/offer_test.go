package main

import (
	"log/slog"
	"testing"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
)

// What an agent's settings say of its host is what the control node knows of
// it, from the file to the replicated state.
func TestSettingsReachTheHostsRecord(t *testing.T) {
	n, _ := startedNode(t)
	conf := config.Default()
	conf.Node, conf.DataDir = "h1", t.TempDir()
	conf.Agent.Driver, conf.Agent.Listen = "sim", "127.0.0.1:0"
	conf.Agent.Control = []string{n.port.Addr().String()}
	var err error
	if conf.Agent.Join, err = n.devToken(t.Context(), conf.Node); err != nil {
		t.Fatal(err)
	}
	conf.Agent.VCPUs, conf.Agent.VCPURatio, conf.Agent.RAMRatio, conf.Agent.DiskRatio = 3, 250, 150, 90
	a, err := openAgent(t.Context(), conf, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := a.agent.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := n.machine.View().HostNamed("h1")
	if h == nil || h.VCPUs != 3 || h.VCPURatio != 250 || h.RAMRatio != 150 || h.DiskRatio != 90 {
		t.Errorf("the host is known as %+v", h)
	}
}
