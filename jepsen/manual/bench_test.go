package manual

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// layOut makes the machines of a document, by their names and addresses.
func layOut(t *testing.T, prefix string, d *Document) (context.Context, *testbed.Rack) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	t.Cleanup(cancel)
	if err := testbed.Sweep(ctx, prefix, clock.Real{}); err != nil {
		t.Fatal(err)
	}
	rack, err := testbed.New(ctx, testbed.Options{Prefix: prefix, Dir: "/tmp/" + prefix, Range: netip.MustParsePrefix("192.0.2.0/24"),
		Own: []string{"/etc", "/root", "/usr/local", "/var/lib"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rack.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	for _, m := range d.Machines {
		if _, err := rack.AddHostAt(ctx, m.Name, m.Address); err != nil {
			t.Fatal(err)
		}
	}
	return ctx, rack
}

// follow does what a section of a document says, from machines on which the
// packages that it names are installed, in a checkout that is built. It gives
// what each command printed.
func follow(t *testing.T, prefix, document, heading string, prepare ...string) (context.Context, *reader) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", document))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(string(text), heading)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{doc: d, said: map[string]string{}}
	ctx, rack := layOut(t, prefix, d)
	r.rack = rack
	folder := checkout(t, rack)
	for _, m := range d.Machines {
		r.equip(ctx, t, m, folder, prepare)
	}
	r.session = NewSession(rack, folder, "GORACE="+os.Getenv("GORACE"))
	t.Cleanup(r.session.Close)
	for _, l := range d.Lines {
		if r.said[l.Command], err = r.session.Type(ctx, l); err != nil {
			t.Fatalf("%s: %v\n%s", document, err, r.terminals())
		}
	}
	return ctx, r
}

// reader is one who has done what a document says.
type reader struct {
	doc     *Document
	rack    *testbed.Rack
	session *Session
	// said is what commands printed.
	said map[string]string
}

// checkout gives a folder that looks as the project's does after a build.
func checkout(t *testing.T, rack *testbed.Rack) string {
	t.Helper()
	folder := filepath.Join(rack.Dir(), "checkout")
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	for link, to := range map[string]string{"out/guest": built(t, "JEPSEN_GUEST", "out/guest"), "bin/kvorum": built(t, "JEPSEN_BIN", "bin/kvorum"),
		"deploy": built(t, "", "deploy")} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, link)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// built gives what `make test` has built before.
func built(t *testing.T, env, otherwise string) string {
	t.Helper()
	path := os.Getenv(env)
	if path == "" {
		path = filepath.Join("../..", otherwise)
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v: run `make build guest` first", err)
	}
	return path
}

// equip brings a machine to where the document's commands begin: the packages
// that it names are there and have started what they start, and prepare is done,
// a command in the checkout.
func (r *reader) equip(ctx context.Context, t *testing.T, m Machine, folder string, prepare []string) {
	t.Helper()
	h := r.host(t, m.Name)
	commands := [][]string{append([]string{"env", "-C", folder}, prepare...)}
	for _, p := range m.Needs {
		commands = append(commands, []string{"dpkg", "--status", p})
	}
	for _, c := range commands {
		if out, err := h.Command(ctx, c...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %v: %s", m.Name, c, err, out)
		}
	}
	if slices.Contains(m.Needs, "libvirt-daemon-system") {
		if err := h.StartLibvirt(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *reader) host(t *testing.T, name string) *testbed.Host {
	t.Helper()
	h, err := r.rack.Host(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// line finds a line by its command.
func (r *reader) line(t *testing.T, command string) Line {
	t.Helper()
	i := slices.IndexFunc(r.doc.Lines, func(l Line) bool { return l.Command == command })
	if i < 0 {
		t.Fatalf("the document does not say %q", command)
	}
	return r.doc.Lines[i]
}

// terminals are what stands on all terminals.
func (r *reader) terminals() string {
	var b strings.Builder
	for machine, all := range r.session.terminals {
		for _, t := range all {
			said, _, _ := t.look()
			b.WriteString("--- " + machine + "\n" + said)
		}
	}
	return b.String()
}

// shows waits until a command shows all of these, each a pattern for a line. What
// it printed in its place counts; if that was too soon, it is typed again.
func (r *reader) shows(ctx context.Context, t *testing.T, command string, patterns ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	l, said := r.line(t, command), r.said[command]
	eventually(ctx, t, command+" does not show what is promised", func() string {
		for _, p := range patterns {
			if regexp.MustCompile("(?m)" + p).MatchString(said) {
				continue
			}
			why := fmt.Sprintf("no line is as %q in\n%s", p, said)
			var err error
			if said, err = r.session.Type(ctx, l); err != nil {
				return err.Error()
			}
			return why
		}
		return ""
	})
}

// showsPeers waits for three voters, one of which leads.
func (r *reader) showsPeers(ctx context.Context, t *testing.T) {
	t.Helper()
	const command = "kvorum operator raft list-peers"
	r.shows(ctx, t, command, `^c1 .* 192\.0\.2\.11:8770 +true +(true|false)$`, `^c2 .* 192\.0\.2\.12:8770 +true +(true|false)$`,
		`^c3 .* 192\.0\.2\.13:8770 +true +(true|false)$`, ` true +true$`)
}

// eventually tries until there is no trouble.
func eventually(ctx context.Context, t *testing.T, what string, trouble func() string) {
	t.Helper()
	for {
		why := trouble()
		if why == "" {
			return
		}
		if err := clock.Sleep(ctx, clock.Real{}, 200*time.Millisecond); err != nil {
			t.Fatalf("%s: %s", what, why)
		}
	}
}
