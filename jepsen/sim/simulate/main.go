package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/kvorum/kvorum/jepsen/sim"
)

func main() {
	seed := flag.Uint64("seed", 0, "the seed to replay, or the first of -n; 0 draws one")
	n := flag.Int("n", 1, "how many seeds to run, one after another")
	steps := flag.Int("steps", 0, "events of the first phase; 0 lets the seed decide")
	nodes := flag.Int("nodes", 0, "how many control nodes; 0 lets the seed decide")
	variant := flag.String("break", "", fmt.Sprintf("break the cluster on purpose: %v", sim.Variants()))
	chaos := flag.Bool("chaos", false, "no hosts: every kind of command, at random, to the state machine alone")
	leases := flag.Bool("leases", false, "one user, and much that befalls hosts and control nodes")
	jobs := flag.Int("jobs", runtime.GOMAXPROCS(0), "runs at once, each in one thread")
	quiet := flag.Bool("quiet", false, "no film, only the verdicts")
	flag.Parse()
	debug.SetGCPercent(400) // runs are short: let the heap grow instead
	first := *seed
	if first == 0 {
		first = rand.Uint64() >> 16
	}
	os.Exit(run(os.Stdout, first, *n, *jobs, sim.Config{Steps: *steps, Nodes: *nodes, Break: sim.Variant(*variant), Chaos: *chaos, Leases: *leases}, *quiet || *n > 1))
}

// run makes n runs and gives the program's exit code: 1 for a violation, 2 for
// runs of which none proved anything.
func run(to io.Writer, first uint64, n, jobs int, c sim.Config, quiet bool) int {
	out := bufio.NewWriter(to)
	defer out.Flush()
	if !quiet {
		c.Film, jobs = out, 1
	}
	valid, bad := 0, 0
	for r := range each(first, n, max(1, jobs), c) {
		switch {
		case r.Bad != nil:
			bad++
		case r.Invalid == "":
			valid++
		}
		if quiet {
			fmt.Fprintln(out, r)
			_ = out.Flush() // a verdict is shown as soon as it is known
		}
	}
	if quiet {
		fmt.Fprintf(out, "%d runs from seed %d: %d ok, %d with a violation, %d that prove nothing\n", n, first, valid, bad, n-valid-bad)
	}
	switch {
	case bad > 0:
		return 1
	case valid == 0:
		return 2
	}
	return 0
}

// each makes the runs of n seeds, some at once, and gives each result when it
// is known.
func each(first uint64, n, jobs int, c sim.Config) <-chan sim.Result {
	results := make(chan sim.Result)
	var next atomic.Int64
	var all sync.WaitGroup
	for range jobs {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				c := c
				c.Seed = first + uint64(i)
				results <- sim.Run(c)
			}
		})
	}
	go func() {
		all.Wait()
		close(results)
	}()
	return results
}
