package manual

import (
	"os"
	"strings"
	"testing"
)

// TestDeploy goes the way of deploy/README.md to services on three control nodes
// and a host, word by word; testdata/systemctl stands for systemd.
func TestDeploy(t *testing.T) {
	t.Parallel()
	stand := built(t, "", "jepsen/manual/testdata/systemctl")
	ctx, r := follow(t, "kvdepl", "deploy/README.md", "## From nothing to services", "install", "-m", "0755", "-D", stand, "/usr/local/sbin/systemctl")
	r.showsPeers(ctx, t)
	log := r.host(t, "h1").Path("/run/kvorum-agent.log")
	eventually(ctx, t, "the host is not registered", func() string {
		text, err := os.ReadFile(log)
		if err != nil {
			return err.Error()
		}
		if !strings.Contains(string(text), `"msg":"host registered"`) {
			return string(text)
		}
		return ""
	})
	// The control nodes are the user's, and nobody else looks into their data.
	for _, name := range []string{"c1", "c2", "c3"} {
		h := r.host(t, name)
		out, err := h.Command(ctx, "sh", "-c", "ps -o user= -p $(pgrep -f '^/usr/local/bin/kvorum control' --nslist uts --ns $$); stat -c '%U %a' /var/lib/kvorum /var/lib/kvorum/data.key").CombinedOutput()
		if want := "kvorum\nkvorum 711\nkvorum 600\n"; err != nil || string(out) != want {
			t.Errorf("%s: %v: %q, want %q", name, err, out, want)
		}
	}
}
