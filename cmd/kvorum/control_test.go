package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/raftnode"
)

// Without a cluster, and not told to make one, a control node says what to do,
// and leaves the folder as it was.
func TestControlWithoutACluster(t *testing.T) {
	empty := t.TempDir()
	for _, dir := range []string{empty, filepath.Join(empty, "not-there")} {
		conf := config.Default()
		conf.Node, conf.DataDir = "n1", dir
		err := runControl(t.Context(), conf, slog.New(slog.DiscardHandler))
		want := "There is no cluster in " + dir + ". To make a new one of this node, start it once with --bootstrap; to join one, with --join and the token that `kvorum operator token create --role control --name n1` gives there."
		if err == nil || sentence(err) != want {
			t.Errorf("it says %v, want %q", err, want)
		}
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestMisspeltFlags are named, and the nearest one with them.
func TestMisspeltFlags(t *testing.T) {
	for _, row := range []struct{ role, flag, want string }{
		{"control", "--public.listn=x", `there is no setting "public.listn"; did you mean "public.listen"?`},
		{"control", "--bootstrp", `did you mean "bootstrap"?`},
		{"agent", "--conifg", `did you mean "config"?`},
		{"agent", "--zzzzzzzzzzzzzzzz", `there is no setting "zzzzzzzzzzzzzzzz"`},
		{"agent", "--agent.stop_wait=soon", `agent.stop_wait: "soon" is not a time such as "60s"`},
	} {
		c := root()
		c.SetArgs([]string{row.role, row.flag})
		if err := c.ExecuteContext(t.Context()); err == nil || !strings.Contains(sentence(err), row.want) {
			t.Errorf("%s %s: %v, want %q", row.role, row.flag, err, row.want)
		}
	}
}

// With --exit a node founds its cluster, once, and is gone again; it runs on the
// same folder afterwards.
func TestEnterAndExit(t *testing.T) {
	conf := config.Default()
	conf.Node, conf.DataDir = "n1", t.TempDir()
	conf.Public.Listen, conf.Control.Listen, conf.Control.Gossip.Listen = "127.0.0.1:0", "127.0.0.1:0", "none"
	log := slog.New(slog.DiscardHandler)
	if err := enterControl(t.Context(), conf, log); err == nil {
		t.Error("a node without a cluster entered none and says nothing")
	}
	conf.Control.Bootstrap = true
	var ids []string
	for range 2 {
		if err := enterControl(t.Context(), conf, log); err != nil {
			t.Fatal(err)
		}
		id, err := raftnode.ClusterID(conf.DataDir)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if ids[0] != ids[1] {
		t.Errorf("the second time it founded another cluster: %v", ids)
	}
	n, err := openControl(t.Context(), conf, log, raftTimes{election: devElection})
	if err != nil {
		t.Fatal(err)
	}
	if got := n.raft.ClusterID(); got != ids[0] {
		t.Errorf("it runs in cluster %s, and founded %s", got, ids[0])
	}
	if err := n.close(); err != nil {
		t.Error(err)
	}
}
