package manual

import (
	"context"
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

// TestReadme goes the README's way from nothing to three control nodes and a
// host with a server on it, word by word, and looks for what it promises.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(string(text), "## Run it")
	if err != nil {
		t.Fatal(err)
	}
	ctx, rack := layOut(t, "kvread", d)
	folder := equip(ctx, t, rack, d)
	s := NewSession(rack, folder, "GORACE="+os.Getenv("GORACE"))
	t.Cleanup(s.Close)
	said := map[string]string{}
	for _, l := range d.Lines {
		if said[l.Command], err = s.Type(ctx, l); err != nil {
			t.Fatalf("%v\n%s", err, says(s))
		}
	}
	for line, promise := range map[string]string{
		"openstack hypervisor list": `(?m)^\|.* h1 .* 192\.0\.2\.21 .* up +\|$`,
		"openstack server create --image guest --flavor m1.tiny --network private --wait first": `(?m)^\| status +\| ACTIVE +\|$`,
		"openstack server list": `(?m)^\|.* first .* ACTIVE .* private=10\.0\.0\.\d+ .*\|$`,
	} {
		if !regexp.MustCompile(promise).MatchString(said[line]) {
			t.Errorf("%s: what the README promises is not to be seen in\n%s", line, said[line])
		}
	}
	checkPeers(t, said["kvorum operator raft list-peers"])
	guestRuns(ctx, t, rack)
	restart(ctx, t, s, d)
	guestRuns(ctx, t, rack)
	if said, err := s.Type(ctx, d.typed(t, "openstack server list")); err != nil || !strings.Contains(said, "ACTIVE") {
		t.Errorf("after the restart: %v", err)
	}
}

// equip brings the machines to where the README's commands begin: the program in
// place, the packages that it names installed, and what these start started. It
// gives the folder of the checkout.
func equip(ctx context.Context, t *testing.T, rack *testbed.Rack, d *Document) string {
	t.Helper()
	folder := filepath.Join(rack.Dir(), "checkout")
	if err := os.MkdirAll(filepath.Join(folder, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Symlink(built(t, "JEPSEN_GUEST", "out/guest"), filepath.Join(folder, "out/guest")); err != nil {
		t.Fatal(err)
	}
	binary := built(t, "JEPSEN_BIN", "bin/kvorum")
	for _, m := range d.Machines {
		h, err := rack.Host(m.Name)
		if err != nil {
			t.Fatal(err)
		}
		if h.Address() != m.Address {
			t.Errorf("%s is at %v, the README says %v", m.Name, h.Address(), m.Address)
		}
		for _, need := range append([][]string{{"install", "-m", "0755", "-D", binary, "/usr/local/bin/kvorum"}}, dpkg(m.Needs)...) {
			if out, err := h.Command(ctx, need...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %v: %s", m.Name, need, err, out)
			}
		}
		if slices.Contains(m.Needs, "libvirt-daemon-system") {
			if err := h.StartLibvirt(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	return folder
}

// dpkg are commands that fail for a package that is not installed.
func dpkg(packages []string) (all [][]string) {
	for _, p := range packages {
		all = append(all, []string{"dpkg", "--status", p})
	}
	return all
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

// typed finds a line by its command.
func (d *Document) typed(t *testing.T, command string) Line {
	t.Helper()
	i := slices.IndexFunc(d.Lines, func(l Line) bool { return l.Command == command })
	if i < 0 {
		t.Fatalf("the README does not say %q", command)
	}
	return d.Lines[i]
}

// checkPeers looks for three voters with a leader among them.
func checkPeers(t *testing.T, said string) {
	t.Helper()
	var names []string
	leaders := 0
	for _, line := range strings.Split(strings.TrimSpace(said), "\n")[1:] {
		f := strings.Fields(line)
		if len(f) != 5 || f[3] != "true" {
			t.Errorf("no voter: %s", line)
			continue
		}
		names = append(names, f[0]+" "+f[2])
		if f[4] == "true" {
			leaders++
		}
	}
	slices.Sort(names)
	if want := []string{"c1 192.0.2.11:8770", "c2 192.0.2.12:8770", "c3 192.0.2.13:8770"}; !slices.Equal(names, want) || leaders != 1 {
		t.Errorf("the voters are %v, %d of them lead, want %v:\n%s", names, leaders, want, said)
	}
}

// guestRuns looks on the host for a guest that runs, whatever the API says.
func guestRuns(ctx context.Context, t *testing.T, rack *testbed.Rack) {
	t.Helper()
	h, err := rack.Host("h1")
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.Command(ctx, "virsh", "list", "--name", "--state-running").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "instance-") {
		t.Errorf("what runs on the host: %v: %s", err, out)
	}
}

// restart ends every node with Ctrl-C and starts it again by the line that it
// was started by, without what only the first start needs.
func restart(ctx context.Context, t *testing.T, s *Session, d *Document) {
	t.Helper()
	first := regexp.MustCompile(` --bootstrap$| --join TOKEN$`)
	for _, l := range d.Lines {
		if !first.MatchString(l.Command) {
			continue
		}
		if err := s.Interrupt(ctx, l.Machine); err != nil {
			t.Fatal(err)
		}
		l.Command = first.ReplaceAllString(l.Command, "")
		if _, err := s.Type(ctx, l); err != nil {
			t.Fatal(err)
		}
	}
	peers := d.typed(t, "kvorum operator raft list-peers")
	for {
		said, err := s.Type(ctx, peers)
		if err == nil && strings.Count(said, "true") == 4 {
			checkPeers(t, said)
			return
		}
		if serr := clock.Sleep(ctx, clock.Real{}, 200*time.Millisecond); serr != nil {
			t.Fatalf("no leader after the restart: %v\n%s", err, said)
		}
	}
}

// says is what stands on all terminals.
func says(s *Session) string {
	var b strings.Builder
	for machine, all := range s.terminals {
		for _, t := range all {
			said, _, _ := t.look()
			b.WriteString("--- " + machine + "\n" + said)
		}
	}
	return b.String()
}
