package sim

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

var (
	newSeeds  = flag.Int("sim.seeds", 100, "how many new seeds to run, and two for every five of them about leases besides")
	firstSeed = flag.Uint64("sim.first", 0, "the first of the new seeds; 0 draws one")
)

// TestMain lets the heap grow: runs are short, and collecting costs a quarter of
// their time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// sound runs a seed that must show nothing bad.
func sound(t *testing.T, c Config) Result {
	t.Helper()
	r := Run(c)
	if r.Bad != nil {
		t.Errorf("%s\nshow it: make sim SEED=%d%s", r, c.Seed, map[bool]string{true: " ARGS=-leases"}[c.Leases])
	}
	return r
}

// TestOneSeedOneFilm: two runs of a seed are equal byte for byte, also those
// that end badly and those without hosts.
func TestOneSeedOneFilm(t *testing.T) {
	for _, c := range []Config{{Seed: 7}, {Seed: 11}, {Seed: 3, Break: WrongHost}, {Seed: 5, Chaos: true}, {Seed: 7, Leases: true}} {
		t.Run(fmt.Sprintf("%d %s leases=%t", c.Seed, c.Break, c.Leases), func(t *testing.T) {
			t.Parallel()
			var films [2]bytes.Buffer
			for i := range films {
				c.Film = &films[i]
				Run(c)
			}
			if !bytes.Equal(films[0].Bytes(), films[1].Bytes()) {
				t.Fatal(firstDifference(films[0].String(), films[1].String()))
			}
			head, _, _ := strings.Cut(films[0].String(), "\n")
			if !strings.HasPrefix(head, fmt.Sprintf("SEED=%d COMMIT=", c.Seed)) || !strings.Contains(head, " hosts=") {
				t.Errorf("the first line is no way back: %s", head)
			}
		})
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d: %q, then %q", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines, then %d", len(x), len(y))
}

// TestFixedSeeds: seeds that are always run; each must also do enough to count.
func TestFixedSeeds(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			if r := sound(t, Config{Seed: seed}); r.Invalid != "" {
				t.Errorf("proves nothing: %s", r)
			} else {
				t.Log(r)
			}
		})
	}
}

// TestFoundSeeds replays what once went wrong; testdata/seeds.txt has a line
// for each: the seed, and its story.
func TestFoundSeeds(t *testing.T) {
	f, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for in := bufio.NewScanner(f); in.Scan(); {
		line := strings.TrimSpace(in.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var seed uint64
		if _, err := fmt.Sscanf(line, "%d", &seed); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		n++
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			sound(t, Config{Seed: seed})
		})
	}
	if n == 0 {
		t.Error("no seeds")
	}
}

// TestOneNode: a control node alone is a majority, and its hosts' leases are kept
// all the same.
func TestOneNode(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		for _, c := range []Config{{Seed: seed, Nodes: 1}, {Seed: seed, Nodes: 1, Leases: true}} {
			t.Run(fmt.Sprintf("%d leases=%t", seed, c.Leases), func(t *testing.T) {
				t.Parallel()
				t.Log(sound(t, c))
			})
		}
	}
}

// TestNewSeeds runs seeds that nobody has run before.
func TestNewSeeds(t *testing.T) { runNewSeeds(t, Config{}) }

// TestNewLeaseSeeds does so with much that befalls hosts and control nodes.
func TestNewLeaseSeeds(t *testing.T) {
	all := runNewSeeds(t, Config{Leases: true})
	if n := leaseSeeds(*newSeeds); !testing.Short() && (all.Called < 2*n || all.Revived < 2*n) {
		t.Errorf("%d seeds about leases called only %d hosts dead, and %d alive again", n, all.Called, all.Revived)
	}
}

// leaseSeeds is how many seeds about leases go with so many others: each takes
// longer.
func leaseSeeds(others int) int { return others * 2 / 5 }

func runNewSeeds(t *testing.T, c Config) (all Counts) {
	first := *firstSeed
	if first == 0 {
		first = rand.Uint64() >> 16
	}
	count := *newSeeds
	if c.Leases {
		count = leaseSeeds(count)
	}
	if testing.Short() {
		count = min(count, 10)
	}
	t.Logf("%d seeds from %d", count, first)
	const lanes = 4
	results := make([][]Result, lanes)
	t.Run("all", func(t *testing.T) {
		for lane := range lanes {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				for i := lane; i < count; i += lanes {
					c := c
					c.Seed = first + uint64(i)
					results[lane] = append(results[lane], sound(t, c))
				}
			})
		}
	})
	invalid := 0
	for _, lane := range results {
		for _, r := range lane {
			if r.Invalid != "" {
				invalid++
				t.Log(r)
			}
			all.add(r.Counts)
		}
	}
	t.Logf("all together: %s", all)
	if tenths := map[bool]int{false: 1, true: 5}[c.Leases]; invalid*10 > count*tenths {
		t.Errorf("%d of %d runs prove nothing", invalid, count)
	}
	return all
}

// add sums up runs.
func (c *Counts) add(o Counts) {
	c.Commits, c.Refused, c.Requests, c.Retries = c.Commits+o.Commits, c.Refused+o.Refused, c.Requests+o.Requests, c.Retries+o.Retries
	c.Starts, c.Placed, c.Deleted = c.Starts+o.Starts, c.Placed+o.Placed, c.Deleted+o.Deleted
	c.Called, c.Revived = c.Called+o.Called, c.Revived+o.Revived
	c.Restores, c.Compared = c.Restores+o.Restores, c.Compared+o.Compared
	for name, n := range o.Faults {
		for range n {
			c.fault(name)
		}
	}
}

// TestChaos: every kind of command, made up at random, leaves the state sound
// and the replicas equal.
func TestChaos(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			if r := sound(t, Config{Seed: seed, Chaos: true}); r.Counts.Commits < 100 || r.Counts.Compared < 5 {
				t.Errorf("proves nothing: %s", r)
			}
		})
	}
}

// TestTooLittleIsInvalid: a run that did next to nothing does not count as one
// that went well.
func TestTooLittleIsInvalid(t *testing.T) {
	if r := Run(Config{Seed: 1, Steps: 50}); r.Bad != nil || r.Invalid == "" {
		t.Errorf("50 steps: %s", r)
	}
}

// TestBrokenVariants: each way to break the cluster on purpose is seen, within
// a few seeds, and every checker sees one of them.
func TestBrokenVariants(t *testing.T) {
	const within = 30
	table := []struct {
		variant Variant
		checker string
		leases  bool
	}{
		{ForgetGeneration, "generations go forward", false},
		{WrongHost, "a guest runs by its permit", false},
		{WrongHost, "one host runs a guest", false},
		{NoTombstone, settles, false},
		{EarlyConfirm, final, false},
		{EarlyConfirm, "one owner on the wire", false},
		{NewID, honest, false},
		{AckEarly, honest, false},
		{LoseTable, "replicas agree", false},
		{LoseTable, "the state is sound", false},
		{OwnClock, "replicas agree", false},
		{Boast, "no host is overfull", false},
		{DropReport, settles, false},
		{OwnVerdict, noLease, true},
		{ForgetUptime, noLease, true},
		{BreakPromise, noLease, true},
		{StandStill, noLease, true},
		{SelfGrant, noLease, true},
		{SelfGrant, wordHolds, true},
	}
	rows := make([]string, len(table))
	tried := map[Variant]bool{}
	t.Run("each", func(t *testing.T) {
		for i, row := range table {
			tried[row.variant] = true
			t.Run(string(row.variant)+"/"+row.checker, func(t *testing.T) {
				t.Parallel()
				for seed := uint64(1); seed <= within; seed++ {
					r := Run(Config{Seed: seed, Break: row.variant, Only: row.checker, Leases: row.leases})
					if r.Bad != nil {
						rows[i] = fmt.Sprintf("%-18s %5d  %-28s %s", row.variant, seed, r.Bad.Checker, r.Bad.Detail)
						return
					}
				}
				t.Errorf("%s was not seen in %d seeds", row.variant, within)
			})
		}
	})
	t.Logf("%-18s %5s  %-28s %s\n%s", "variant", "seed", "checker", "what it saw", strings.Join(rows, "\n"))
	for _, v := range Variants() {
		if !tried[v] {
			t.Errorf("%s is not tried here", v)
		}
	}
}
