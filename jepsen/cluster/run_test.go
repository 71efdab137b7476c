package cluster

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/disk"
	"github.com/kvorum/kvorum/jepsen/disk/drive"
	"github.com/kvorum/kvorum/jepsen/mutants"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// short is a family for tests: everything is done, and not for long.
var short = Test{ID: "short", Promise: "P2, in little time", Controls: 3, Clients: 9, Pace: quick, Disk: true, Workload: registersOf(50), Checkers: ofRegisters, Least: 5,
	Script: Script{Calm: [2]int{300, 800}, Storm: [2]int{800, 1600}, Make: []func() Fault{Pause(Leader), Partition(One), Stop(Leader),
		Clocks(One), SlowSync(One)}}}

// TestMain lets the disks of a run be processes of this program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == disk.Serve {
		os.Exit(drive.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// faulty is the program with failpoints: the one that was built before
// (JEPSEN_FAULTS), or one that is built now.
func faulty(t *testing.T) string {
	t.Helper()
	if built := os.Getenv("JEPSEN_FAULTS"); built != "" {
		return built
	}
	binary := filepath.Join(t.TempDir(), "kvorum")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "libvirt_dlopen,faults", "-o", binary, "../../cmd/kvorum")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// try does one run on a rack of its own.
func try(t *testing.T, o Options) Result {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	o.Clock = clock.Real{}
	if err := testbed.Sweep(ctx, o.Prefix, o.Clock); err != nil { // what a run left that was killed
		t.Fatal(err)
	}
	res, err := Run(ctx, short, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(res)
	return res
}

// TestARunHolds: real processes, real faults, and a product that keeps its
// promises. A machine that is busy with something else may make a run that shows
// nothing: then there is another one.
func TestARunHolds(t *testing.T) {
	t.Parallel()
	o := Options{Binary: faulty(t), Duration: 10 * time.Second, Dir: t.TempDir(), Prefix: "kvjh", Range: netip.MustParsePrefix("10.233.0.0/16")}
	for o.Seed = 6; ; o.Seed++ { // partitions, slow disks, a pause, and a stop
		res := try(t, o)
		if res.Verdict == Invalid && o.Seed < 8 {
			continue
		}
		if res.Verdict != Holds || res.Compared == 0 || res.Dir != "" {
			t.Errorf("%+v", res)
		}
		return
	}
}

// TestARunCatchesAMutant: a program whose nodes answer from what they have is
// caught, and who wants to know why finds everything in the run's folder.
func TestARunCatchesAMutant(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	i := slices.IndexFunc(mutants.All, func(m mutants.Mutant) bool { return m.Name == "read-locally" })
	binary := filepath.Join(t.TempDir(), "kvorum")
	if err := mutants.All[i].Build(t.Context(), "../..", binary); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	res := try(t, Options{Binary: binary, Seed: 1, Duration: 6 * time.Second, Dir: dir, Prefix: "kvjm", Range: netip.MustParsePrefix("10.234.0.0/16")})
	by := map[string]bool{}
	for _, f := range res.Findings {
		by[f.Checker] = true
	}
	if res.Verdict != Violated || !by["linearizable"] || !by["order by index"] || res.Dir != dir {
		t.Errorf("%+v", res)
	}
	if ops := linesOf[Op](t, filepath.Join(dir, "history.jsonl")); len(ops) != res.Ops {
		t.Errorf("%d of %d operations are kept", len(ops), res.Ops)
	}
	text, page := readPage(t, filepath.Join(dir, "timeline.html"))
	for _, class := range []string{"client", "node", "faults", "leader", "named", "flag"} {
		if len(page.all(class)) == 0 {
			t.Errorf("the timeline has no %s", class)
		}
	}
	if !strings.Contains(text, `href="nodes/c1/control.log"`) {
		t.Error("the timeline does not lead to the logs")
	}
	for _, file := range []string{"events.jsonl", "nodes/c1/control.log", "nodes/c3/data/raft/log.db"} {
		if s, err := os.Stat(filepath.Join(dir, file)); err != nil || s.Size() == 0 {
			t.Errorf("%s is not kept: %v", file, err)
		}
	}
}
