package gossip

import (
	"slices"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/raftnode"
)

// TestOneSink: what Serf and memberlist report arrives at the process's one
// sink, which also collects raft's, and tells the pools apart.
func TestOneSink(t *testing.T) {
	sink, err := raftnode.CollectMetrics()
	if err != nil {
		t.Fatal(err)
	}
	agents := config("n1")
	control := config("n1")
	control.Pool, control.Key = "control", key(2)
	for _, cfg := range []Config{agents, control} {
		p := open(t, cfg)
		cfg.Name = "n2"
		other := open(t, cfg)
		join(t, other, p)
		shows(t, "n1 alive, n2 alive", p, other)
	}
	joins := map[string]float64{}
	families := map[string]bool{}
	all, dropped := sink.All()
	for _, m := range all {
		family, _, _ := strings.Cut(m.Name, ".")
		families[family] = true
		if m.Name == "serf.member.join" {
			joins[strings.Join(m.Labels, "=")] = m.Sum
		}
		if family == "serf" && !slices.Contains(m.Labels, "pool") {
			t.Errorf("%s does not say its pool", m.Name)
		}
	}
	// Both nodes of each pool are on both lists; who fails for a moment joins
	// again.
	if joins["pool=agents"] < 4 || joins["pool=control"] < 4 {
		t.Errorf("joins: %v", joins)
	}
	if !families["serf"] || !families["memberlist"] || dropped > 0 {
		t.Errorf("families %v, %d dropped", families, dropped)
	}
}
