package faultnet

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// helperDir in the environment makes the test binary a harness that lays out a
// rack on a switch, lets its hosts talk through faults, and waits to be killed.
const (
	helperDir    = "FAULTNET_HELPER_DIR"
	helperPrefix = "kvfk"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		helper(dir)
	}
	os.Exit(m.Run())
}

// uplinkRange is no other rack's: these have links in the root namespace.
var uplinkRange = netip.MustParsePrefix("10.247.0.0/16")

func helper(dir string) {
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	sw, err := New(Options{})
	must(err)
	rack, err := testbed.New(ctx, testbed.Options{Prefix: helperPrefix, Dir: dir, Range: uplinkRange, Uplink: true, Wire: sw})
	must(err)
	for _, name := range []string{"a", "b"} {
		_, err := rack.AddHost(ctx, name)
		must(err)
	}
	b, err := rack.Host("b")
	must(err)
	must(sw.Apply(ctx, OneWay([]string{"a", "root"}, []string{"b"}, Match{}, Fault{Delay: 20 * time.Millisecond, Drop: 5 * Percent})...))
	a, err := rack.Host("a")
	must(err)
	_, err = a.Start("ping", "ping", "-i", "0.01", b.Address().String())
	must(err)
	must(exec.Command("ping", "-c", "20", "-i", "0.01", "-W", "1", b.Address().String()).Run())
	fmt.Println("talking")
	select {}
}

// wantNothingLeft looks that nothing has come; the rack's folder, which was
// there before, is gone.
func wantNothingLeft(ctx context.Context, t *testing.T, before testbed.Inventory, o testbed.Options) {
	t.Helper()
	after := before.Diff(inventory(ctx, t, o.Prefix, o.Dir))
	if left := slices.DeleteFunc(after, func(line string) bool { return line == "- file "+o.Dir }); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestKilledHarnessLeavesNothing: the links go with the process, and the sweep
// finds all the rest.
func TestKilledHarnessLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, o := rackOptions(t, helperPrefix)
	before := inventory(ctx, t, o.Prefix, o.Dir)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+o.Dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if lines.Scan(); lines.Text() != "talking" {
		t.Errorf("the harness says %q", lines.Text())
	}
	up := "link " + helperPrefix + "-up"
	if got := strings.Join(inventory(ctx, t, o.Prefix, o.Dir), "\n"); !strings.Contains(got, up) {
		t.Errorf("the root namespace has no link: %s", got)
	}
	attached, err := testbed.Attach(o.Dir, clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attached.AddHost(ctx, "c"); !errs.Is(err, errs.Conflict) {
		t.Errorf("a host on a switch of another process: %v, want conflict", err)
	}
	if err := attached.Partition(ctx, []string{"a"}, []string{"b"}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a partition of a switch of another process: %v, want conflict", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	b := &bed{t: t, ctx: ctx}
	b.eventually("the link goes with the process", func() bool {
		_, err := os.Stat("/sys/class/net/" + helperPrefix + "-up")
		return os.IsNotExist(err)
	})
	if err := testbed.Sweep(ctx, o.Prefix, clock.Real{}); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(o.Dir)
	wantNothingLeft(ctx, t, before, o)
}

// TestUplinkOfASwitch: the machine reaches the hosts, and the rack can be
// taken down before the switch, and the other way round.
func TestUplinkOfASwitch(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"rack", "switch"} {
		t.Run(first+" first", func(t *testing.T) {
			ctx, o := rackOptions(t, "kvfl")
			before := inventory(ctx, t, o.Prefix, o.Dir)
			sw, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			o.Range, o.Uplink, o.Wire = netip.MustParsePrefix("10.248.0.0/16"), true, sw
			rack, err := testbed.New(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			h, err := rack.AddHost(ctx, "a")
			if err != nil {
				t.Fatal(err)
			}
			if err := exec.CommandContext(ctx, "ping", "-c", "1", "-W", "5", h.Address().String()).Run(); err != nil {
				t.Errorf("the machine does not reach a: %v", err)
			}
			closers := []func() error{func() error { return rack.Close(ctx) }, sw.Close}
			if first == "switch" {
				closers[0], closers[1] = closers[1], closers[0]
			}
			for _, c := range closers {
				if err := c(); err != nil {
					t.Error(err)
				}
			}
			wantNothingLeft(ctx, t, before, o)
		})
	}
}
