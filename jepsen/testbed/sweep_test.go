package testbed

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// helperDir in the environment makes the test binary a helper that lays out a
// rack until it is killed. It tells on standard output how far it is.
const (
	helperDir    = "TESTBED_HELPER_DIR"
	helperPrefix = "kvtk"
)

func helper(dir string) {
	ctx := context.Background()
	rack, err := New(ctx, Options{Prefix: helperPrefix, Dir: dir, Uplink: true})
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	fail(err)
	fmt.Println("new")
	for _, name := range []string{"a", "b", "c"} {
		h, err := rack.AddHost(ctx, name)
		fail(err)
		fmt.Println("host", name)
		fail(h.StartLibvirt(ctx))
		fmt.Println("libvirt", name)
		// As a daemon that drops its environment: known by its namespaces only.
		fail(h.Command(ctx, "sh", "-c", "env -i setsid sleep 1000 >/dev/null 2>&1 & ").Run())
		fmt.Println("sleep", name)
	}
	select {}
}

// TestSweepAfterKill kills the process that lays out a rack at several places,
// and once lets it finish, and looks that a sweep leaves nothing.
func TestSweepAfterKill(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "new", "host a", "libvirt a", "host b", "sleep c"} {
		t.Run(strings.ReplaceAll("at "+at, " ", "_"), func(t *testing.T) {
			ctx, o := testOptions(t, helperPrefix)
			before := ownInventory(ctx, t, o.Prefix, o.Dir)
			killHelperAt(ctx, t, o.Dir, at)
			var inside []member
			if s, err := loadState(o.Dir); err == nil {
				inside = members(s)
			}
			if at == "sleep c" && len(inside) < 9 {
				t.Errorf("found only %v: want three hosts' two services and a sleep each", inside)
			}
			if err := Sweep(ctx, o.Prefix, clock.Real{}); err != nil {
				t.Fatal(err)
			}
			if _, err := Find(o.Prefix); !errs.Is(err, errs.NotFound) {
				t.Errorf("find after the sweep: %v", err)
			}
			_ = os.Remove(o.Dir) // it was there before the rack, and is left if the rack was never begun
			checkNothingLeft(ctx, t, before, o, inside)
			if err := Sweep(ctx, o.Prefix, clock.Real{}); err != nil {
				t.Errorf("a second sweep: %v", err)
			}
		})
	}
}

func killHelperAt(ctx context.Context, t *testing.T, dir, at string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if at == "" {
		// As soon as it has taken the prefix.
		eventually(ctx, t, "registered", func() bool { _, err := Find(helperPrefix); return err == nil })
	}
	for lines := bufio.NewScanner(out); at != "" && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "error") {
			t.Error(lines.Text())
		}
		if lines.Text() == at {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the helper ended by itself")
	}
}

func TestSweepTouchesNothingElse(t *testing.T) {
	t.Parallel()
	ctx, rack := testRack(t, "kvts")
	addHost(ctx, t, rack, "a")
	// A namespace whose name begins as ours do, a process in the root, and a file in the folder.
	foreign := "kvts-zz"
	if out, err := exec.CommandContext(ctx, "ip", "netns", "add", foreign).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	defer func() { _ = exec.Command("ip", "netns", "del", foreign).Run() }()
	other := exec.CommandContext(ctx, "sleep", "1000")
	other.Env = []string{envMarker + "=kvts-0000"}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	keep := filepath.Join(rack.Dir(), "keep")
	if err := os.WriteFile(keep, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(ctx, "kvts", clock.Real{}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{netnsPath(foreign), keep} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the sweep took %s: %v", path, err)
		}
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the sweep took a process of another rack: %v", err)
	}
	if err := os.RemoveAll(rack.Dir()); err != nil {
		t.Fatal(err)
	}
}

func TestAttachRefusesAnotherRack(t *testing.T) {
	t.Parallel()
	ctx, rack := testRack(t, "kvta")
	if dir, err := Find("kvta"); err != nil || dir != rack.Dir() {
		t.Errorf("find: %q, %v", dir, err)
	}
	if _, err := Attach("/tmp/kvta-none", clock.Real{}); !errs.Is(err, errs.NotFound) {
		t.Errorf("attach to nothing: %v, want not found", err)
	}
	// The state of a rack that is gone, while its prefix is in use by another.
	old := rack.state
	old.ID, old.Dir = "kvta-00000000", t.TempDir()
	body, err := json.Marshal(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stateFile(old.Dir), body, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(old.Dir, clock.Real{}); !errs.Is(err, errs.Conflict) {
		t.Errorf("attach to a rack of the past: %v, want conflict", err)
	}
	_ = ctx
}

func TestInventoryDiff(t *testing.T) {
	before := Inventory{"link a", "process x: x", "process x: x"}
	after := Inventory{"link a", "link b", "process x: x"}
	got := strings.Join(before.Diff(after), "; ")
	if want := "+ link b; - process x: x"; got != want {
		t.Errorf("diff = %q, want %q", got, want)
	}
	if got := before.Diff(before); len(got) != 0 {
		t.Errorf("diff with itself = %q", got)
	}
}

func TestParseStat(t *testing.T) {
	line := "42 (a ) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 1234 20 21"
	got, err := parseStat(line)
	if err != nil || got != (procStat{comm: "a ) b (c", state: 'S', started: 1234}) {
		t.Errorf("parseStat = %+v, %v", got, err)
	}
	for _, bad := range []string{"", "42 a S", "42 (a) S 1 2", strings.Replace(line, "1234", "x", 1)} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("parseStat(%q) succeeded", bad)
		}
	}
}
