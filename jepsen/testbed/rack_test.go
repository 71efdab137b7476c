package testbed

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// testRack lays out a rack whose folder guests can reach; t.TempDir is closed
// to other users.
func testRack(t *testing.T, prefix string) (context.Context, *Rack) {
	t.Helper()
	ctx, o := testOptions(t, prefix)
	return ctx, newRack(ctx, t, o)
}

func newRack(ctx context.Context, t *testing.T, o Options) *Rack {
	t.Helper()
	rack, err := New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rack.Close(context.WithoutCancel(ctx)); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return rack
}

func testOptions(t *testing.T, prefix string) (context.Context, Options) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a rack needs root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	// What an earlier run of this test left when it was killed.
	if err := Sweep(ctx, prefix, clock.Real{}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "rack-"+prefix+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := os.Stat(dir); err == nil && !t.Failed() {
			t.Errorf("%s is still there", dir)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return ctx, Options{Prefix: prefix, Dir: dir}
}

func addHost(ctx context.Context, t *testing.T, r *Rack, name string) *Host {
	t.Helper()
	h, err := r.AddHost(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func output(ctx context.Context, t *testing.T, h *Host, argv ...string) string {
	t.Helper()
	out, err := h.Command(ctx, argv...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %v: %s", h.Name(), argv, err, out)
	}
	return strings.TrimSpace(string(out))
}

// eventually waits for a state.
func eventually(ctx context.Context, t *testing.T, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		if err := clock.Sleep(ctx, clock.Real{}, pollEvery); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// ownInventory is the inventory of what a rack of this prefix could leave.
func ownInventory(ctx context.Context, t *testing.T, prefix, dir string) Inventory {
	t.Helper()
	inv, err := TakeInventory(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	return inv.Mentioning(prefix+"-", " "+prefix+".json", dir)
}

func pings(ctx context.Context, h *Host, to string) bool {
	return h.Command(ctx, "ping", "-c", "1", "-W", "1", to).Run() == nil
}

func TestNetworkOfTheRack(t *testing.T) {
	t.Parallel()
	ctx, rack := testRack(t, "kvtn")
	a, b := addHost(ctx, t, rack, "a"), addHost(ctx, t, rack, "b")
	// a was made before b, and knows its name all the same.
	for _, to := range []string{"b", "a", b.Address().String(), rack.Outside().Address().String(), rack.World().String(), nth(rack.External(), 1).String()} {
		if !pings(ctx, a, to) {
			t.Errorf("a does not reach %s", to)
		}
	}
	if got := output(ctx, t, a, "hostname"); got != "a" {
		t.Errorf("hostname = %q", got)
	}
	if got := output(ctx, t, a, "ls", "/sys/class/net"); strings.Join(strings.Fields(got), " ") != "eth0 eth1 lo" {
		t.Errorf("links of a = %q", got)
	}
	if got := output(ctx, t, b, "sh", "-c", "grep ' - nsfs ' /proc/self/mountinfo || :"); got != "" {
		t.Errorf("b holds namespaces of others:\n%s", got)
	}
	if err := rack.Partition(ctx, []string{"a"}, []string{"b"}); err != nil {
		t.Fatal(err)
	}
	if pings(ctx, a, b.Address().String()) {
		t.Error("a reaches b through a partition")
	}
	if !pings(ctx, a, rack.World().String()) {
		t.Error("a does not reach the world, which is on no side")
	}
	if err := rack.Heal(ctx); err != nil {
		t.Fatal(err)
	}
	if !pings(ctx, a, b.Address().String()) {
		t.Error("a does not reach b after the partition")
	}
	if err := b.Unplug(ctx); err != nil {
		t.Fatal(err)
	}
	if pings(ctx, a, b.Address().String()) {
		t.Error("a reaches b, whose cables are out")
	}
	if err := b.Plug(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "a reaches b again", func() bool { return pings(ctx, a, b.Address().String()) })
}

func TestDialAndListen(t *testing.T) {
	t.Parallel()
	ctx, rack := testRack(t, "kvtd")
	a, b := addHost(ctx, t, rack, "a"), addHost(ctx, t, rack, "b")
	l, err := b.Listen(ctx, "tcp", b.Address().String()+":8080")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := make(chan string, 1)
	go func() {
		defer close(seen)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		seen <- conn.RemoteAddr().(*net.TCPAddr).IP.String()
		_, _ = io.WriteString(conn, "hello")
	}()
	conn, err := a.Dial(ctx, "tcp", b.Address().String()+":8080")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	if err != nil || string(text) != "hello" {
		t.Errorf("read %q, %v", text, err)
	}
	if from := <-seen; from != a.Address().String() {
		t.Errorf("b saw %s, want %s", from, a.Address())
	}
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	ctx, rack := testRack(t, "kvtp")
	a := addHost(ctx, t, rack, "a")
	// Says its pid and its mark, then something each time it is asked to end, and does not.
	const stubborn = `trap 'echo no' TERM; echo $$ $JEPSEN_RACK; while :; do sleep 0.1; done`
	p, err := a.Start("stub", "sh", "-c", stubborn)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%d %s\n", p.PID(), rack.ID())
	eventually(ctx, t, "log", func() bool { return p.LogTail() == want })
	if _, err := a.Start("stub", "true"); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second stub: %v, want conflict", err)
	}
	if err := a.Pause("stub"); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "stopped", func() bool { stat, err := readStat(p.PID()); return err == nil && stat.state == 'T' })
	if err := a.Resume("stub"); err != nil {
		t.Fatal(err)
	}
	// Another process would know the same of it.
	other, err := Attach(rack.Dir(), clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := other.Host("a")
	if err != nil {
		t.Fatal(err)
	}
	q, err := h.Process("stub")
	if err != nil || q.PID() != p.PID() || !q.Running() {
		t.Fatalf("attached: %+v, %v", q, err)
	}
	short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	if err := h.Stop(short, "stub"); err != nil {
		t.Fatal(err)
	}
	if p.Running() {
		t.Error("still running after Stop")
	}
	if got := p.LogTail(); got != want+"no\n" {
		t.Errorf("log = %q: Stop did not ask first", got)
	}
	if err := a.Pause("stub"); !errs.Is(err, errs.Conflict) {
		t.Errorf("pausing an ended process: %v, want conflict", err)
	}
	if err := a.Kill("stub"); err != nil {
		t.Errorf("killing an ended process: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{
		{Prefix: "", Dir: "/tmp/x"},
		{Prefix: "toolong", Dir: "/tmp/x"},
		{Prefix: "a/b", Dir: "/tmp/x"},
		{Prefix: "ok", Dir: "tmp/x"},
		{Prefix: "ok", Dir: "/"},
		{Prefix: "ok", Dir: "/tmp/../etc"},
		{Prefix: "ok", Dir: "/tmp/x", Own: []string{"/etc", "etc"}},
		{Prefix: "ok", Dir: "/tmp/x", Own: []string{"/a b"}},
		{Prefix: "ok", Dir: "/tmp/" + strings.Repeat("x", maxDir)},
	} {
		if err := o.check(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v, want invalid", o, err)
		}
	}
}

func TestNewRefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	ctx, rack := testRack(t, "kvtr")
	o := Options{Prefix: "kvtr", Dir: rack.Dir() + "2"}
	if _, err := New(ctx, o); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second rack of the prefix: %v, want conflict", err)
	}
	if _, err := New(ctx, Options{Prefix: "kvtr2", Dir: rack.Dir()}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a rack in a folder in use: %v, want conflict", err)
	}
	for _, name := range []string{"", "A", "sw", "outside", "far-too-long-a-name"} {
		if _, err := rack.AddHost(ctx, name); !errs.Is(err, errs.Invalid) {
			t.Errorf("host %q: %v, want invalid", name, err)
		}
	}
	if !pings(ctx, rack.Outside(), rack.World().String()) {
		t.Error("the refusals broke the first rack")
	}
}

// guestImages finds the guest built (JEPSEN_GUEST), or builds it.
func guestImages(ctx context.Context, t *testing.T) string {
	t.Helper()
	if built := os.Getenv("JEPSEN_GUEST"); built != "" {
		return built
	}
	out := filepath.Join(os.TempDir(), "kvorum-guest")
	cmd := exec.CommandContext(ctx, "../../hack/guest/build.sh", out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the guest: %v: %s", err, text)
	}
	return out
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		helper(dir)
	}
	os.Exit(m.Run())
}
