package sim

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kvorum/kvorum/leader"
)

// Config says which run to make.
type Config struct {
	Seed uint64
	// Steps is how many events the first phase has; 0 lets the seed decide.
	Steps int
	Break Variant
	// Chaos leaves out the hosts: every kind of command, made up at random, goes
	// to the state machine alone.
	Chaos bool
	// Nodes is how many control nodes there are; 0 lets the seed decide.
	Nodes int
	// Leases leaves one user, and lets much befall hosts and control nodes.
	Leases bool
	// Only names the one checker that is listened to; empty for all. It shows
	// that a checker sees what another one sees sooner.
	Only string
	// Film gets the film; nil for none.
	Film io.Writer
}

// Result is what came of a run.
type Result struct {
	Seed    uint64
	Options Options
	Counts  Counts
	// Took is the run's own time.
	Took time.Duration
	// Bad is what must not be; nil if all was well.
	Bad *Violation
	// Invalid says why a run that saw nothing bad proves nothing; empty if it
	// does.
	Invalid string
}

// String gives the verdict in one line.
func (r Result) String() string {
	verdict := "ok"
	switch {
	case r.Bad != nil:
		verdict = "VIOLATION " + r.Bad.String()
	case r.Invalid != "":
		verdict = "INVALID " + r.Invalid
	}
	return fmt.Sprintf("SEED=%d took=%s %s %s", r.Seed, r.Took, r.Counts, verdict)
}

const (
	// settleWithin is how long everything may take to be right after the
	// healing: a late message may still come in, a host may boot, a stubborn
	// guest may have to be killed, and a failed step waits before the next.
	settleWithin = 6 * time.Minute
	// stayFor is how long it must stay right then.
	stayFor = 90 * time.Second
	// maxSettle bounds the events of the second phase.
	maxSettle = 60_000
)

// Run makes one run.
func Run(c Config) Result {
	o := drawOptions(c.Seed)
	if c.Steps > 0 {
		o.Steps = c.Steps
	}
	if c.Leases {
		o = o.aboutLeases(c.Seed)
	}
	if c.Nodes > 0 {
		o.Nodes = c.Nodes
	}
	if c.Chaos {
		o.Hosts = 0
	}
	w := newWorld(c.Seed, o, c.Break, c.Film)
	w.only = c.Only
	w.guarded(func() { w.live(c.Chaos) })
	r := Result{Seed: c.Seed, Options: o, Counts: w.counts, Took: w.clock.Mono(), Bad: w.bad}
	switch {
	case w.bad != nil || c.Chaos:
	case c.Leases:
		r.Invalid = w.counts.tooFewVerdicts()
	default:
		r.Invalid = w.counts.tooLittle()
	}
	w.film.print("%s\n", r)
	return r
}

// guarded turns the state machine's own alarm into a violation.
func (w *world) guarded(f func()) {
	defer func() {
		if p := recover(); p != nil {
			msg, ok := p.(string)
			if !ok || !strings.HasPrefix(msg, "fsm: ") {
				panic(p)
			}
			name := "the state is sound"
			if strings.Contains(msg, "diverged") {
				name = "replicas agree"
			}
			w.violated(name, "%s", msg)
		}
	}()
	f()
}

// live is a run, from the first entry to the last look.
func (w *world) live(isChaos bool) {
	w.found()
	for _, n := range w.nodes {
		n.in(w.net.span(0, time.Second), n.live)
	}
	w.log.leader = w.nodes[0]
	w.nodes[0].lead()
	for _, k := range wishes {
		for range k.often {
			w.menu = append(w.menu, k.kind)
		}
	}
	if isChaos {
		w.menu = chaos()
	}
	for i := range w.opts.Hosts {
		w.hosts = append(w.hosts, newHost(w, i+1))
	}
	for range w.opts.Users {
		w.in(w.work.span(time.Second, 3*time.Second), w.user)
	}
	w.nemesis()
	if !w.storm(isChaos) {
		return
	}
	w.heal()
	if !isChaos {
		w.settle()
		w.age()
	}
	w.last()
}

// storm is the first phase. It goes on until enough was done to count, and
// moves the lead itself where the seed has left that out.
func (w *world) storm(isChaos bool) bool {
	third := w.opts.Steps / 3
	for i := range 4 * w.opts.Steps {
		if i >= w.opts.Steps && (isChaos || w.counts.Commits >= minCommits) {
			break
		}
		if !isChaos && third > 0 && i%third == third-1 && w.counts.Leaders < minLeaders {
			w.newTerm()
		}
		if !w.step() {
			return false
		}
	}
	return true
}

// age lets more time pass than anything is remembered for, and waits until all
// is right again.
func (w *world) age() {
	if w.bad != nil {
		return
	}
	w.clock.Advance(time.Duration(leader.TombstoneLife) + 24*time.Hour)
	w.settled.aged, w.nextLook = true, 0
	w.film.line("", "*", "eight days later", "")
	w.settle()
}

// settle waits until everything is right, and then that it stays so.
func (w *world) settle() {
	healed, right := w.clock.Mono(), time.Duration(-1)
	for range maxSettle {
		if !w.step() {
			return
		}
		now := w.clock.Mono()
		late := now-healed > settleWithin
		if right >= 0 && now-right < stayFor || right < 0 && !late && len(w.queue.events) > 0 && !w.due(now) {
			continue
		}
		switch why := w.wrong(); {
		case why == "" && right >= 0:
			return
		case why == "":
			right = now
			w.film.line("", "*", "settled", "after %s", now-healed)
		case right >= 0:
			w.violated(settles, "it was right, and %s later: %s", now-right, why)
		case late:
			w.violated(settles, "%s after the healing: %s", now-healed, why)
		}
	}
	w.violated(settles, "%d events did not suffice: %s", maxSettle, w.wrong())
}

// due tells whether it is time for a look, which is dear: every two seconds.
func (w *world) due(now time.Duration) bool {
	if now < w.nextLook {
		return false
	}
	w.nextLook = now + 2*time.Second
	return true
}

// wrong gives the first thing that is not right at the end.
func (w *world) wrong() string {
	for _, c := range w.checkers {
		if why := c.end(); why != "" {
			return why
		}
	}
	return ""
}

// last compares the nodes once more.
func (w *world) last() {
	if w.bad != nil {
		return
	}
	for _, n := range w.nodes {
		n.catchUp(len(w.log.entries))
	}
	if w.broken == Sound {
		w.replay()
	}
}
