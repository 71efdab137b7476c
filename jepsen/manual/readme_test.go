package manual

import (
	"context"
	"regexp"
	"strings"
	"testing"
)

// TestReadme goes the README's way from nothing to three control nodes and a
// host with a server on it, word by word, and looks for what it promises.
func TestReadme(t *testing.T) {
	t.Parallel()
	ctx, r := follow(t, "kvread", "README.md", "## Run it", "install", "-m", "0755", "-D", "bin/kvorum", "/usr/local/bin/kvorum")
	r.showsPeers(ctx, t)
	r.shows(ctx, t, "kvorum operator gossip members", ` c1 .* alive `, ` c2 .* alive `, ` c3 .* alive `, ` h1 .* alive `)
	r.shows(ctx, t, "openstack hypervisor list", `^\|.* h1 .* 192\.0\.2\.21 .* up +\|$`)
	made := r.said["openstack server create --image guest --flavor m1.tiny --network private --wait first"]
	if !regexp.MustCompile(`(?m)^\| status +\| ACTIVE +\|$`).MatchString(made) {
		t.Errorf("the server is not ACTIVE:\n%s", made)
	}
	const list, first = "openstack server list", `^\|.* first .* ACTIVE .* private=10\.0\.0\.\d+ .*\|$`
	r.shows(ctx, t, list, first)
	before := r.guests(ctx, t)
	r.restart(ctx, t)
	if after := r.guests(ctx, t); after != before {
		t.Errorf("what runs on the host was\n%sand is after the restart\n%s", before, after)
	}
	r.said = nil
	r.showsPeers(ctx, t)
	r.shows(ctx, t, list, first)
}

// guests is what libvirt says of the guests on the host, with the numbers that
// it gives at each start, whatever the API says.
func (r *reader) guests(ctx context.Context, t *testing.T) string {
	t.Helper()
	out, err := r.host(t, "h1").Command(ctx, "virsh", "list").CombinedOutput()
	if err != nil || strings.Count(string(out), " running") != 1 {
		t.Errorf("what runs on the host: %v: %s", err, out)
	}
	return string(out)
}

// restart ends every node with Ctrl-C and starts it again by the line that it
// was started by, without what only the first start needs.
func (r *reader) restart(ctx context.Context, t *testing.T) {
	t.Helper()
	first := regexp.MustCompile(` --bootstrap$| --join TOKEN$`)
	nodes := 0
	for _, l := range r.doc.Lines {
		if !first.MatchString(l.Command) {
			continue
		}
		nodes++
		if err := r.session.Interrupt(ctx, l.Machine); err != nil {
			t.Fatal(err)
		}
		l.Command = first.ReplaceAllString(l.Command, "")
		if _, err := r.session.Type(ctx, l); err != nil {
			t.Fatal(err)
		}
	}
	if nodes != len(r.doc.Machines) {
		t.Errorf("%d nodes were started again, of %d", nodes, len(r.doc.Machines))
	}
}
