package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
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
