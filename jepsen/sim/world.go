package sim

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/clock"
)

// world is everything of one run.
type world struct {
	opts   Options
	broken Variant
	clock  *clock.Fake
	queue  queue
	film   *film
	counts Counts
	// net, flt, work and ids are the sources of chance; see chance.
	net, flt, work, ids chance

	log      *logbook
	nodes    []*node
	hosts    []*host
	menu     []string // what users wish for
	asked    []*request
	requests map[string]*request

	checkers []checker
	settled  *settledChecker
	accepted *generationChecker
	leases   *leaseChecker
	healed   bool
	nextLook time.Duration // at what is settled
	only     string
	bad      *Violation
}

// Violation is something that must never be, and was.
type Violation struct {
	// Checker is the one that saw it.
	Checker string
	// At is how far the run was.
	At     time.Duration
	Detail string
}

// String gives all of it.
func (v Violation) String() string {
	return fmt.Sprintf("%s, at %s: %s", v.Checker, v.At, v.Detail)
}

// dawn is when every run begins.
var dawn = time.Unix(1_700_000_000, 0)

func newWorld(seed uint64, o Options, broken Variant, to io.Writer) *world {
	w := &world{opts: o, broken: broken, clock: clock.NewFake(dawn), requests: map[string]*request{},
		net: newChance(seed, forNetwork), flt: newChance(seed, forFaults), work: newChance(seed, forWork), ids: newChance(seed, forIDs)}
	w.film = newFilm(to, w.clock.Mono)
	w.film.head(seed, broken, o)
	w.settled = &settledChecker{w: w, stoppedItself: map[string]bool{}}
	w.accepted = &generationChecker{w: w, last: map[string]generation{}}
	w.leases = &leaseChecker{w: w, called: map[string]time.Duration{}}
	w.checkers = append(allCheckers(w), w.accepted, w.leases, w.settled)
	w.log = newLogbook(w)
	for i := range o.Nodes {
		w.nodes = append(w.nodes, newNode(w, i))
	}
	return w
}

// in lets something happen after a while.
func (w *world) in(after time.Duration, do func()) { w.queue.put(w.clock.Mono()+after, do) }

// step lets the next thing happen.
func (w *world) step() bool {
	e, ok := w.queue.take()
	if !ok || w.bad != nil {
		return false
	}
	if d := e.at - w.clock.Mono(); d > 0 {
		w.clock.Advance(d)
	}
	e.do()
	return w.bad == nil
}

// fault tells whether a fault that chance chose happens: not any more once all
// is healed. It counts those that do.
func (w *world) fault(name string, chosen bool) bool {
	if !chosen || w.healed {
		return false
	}
	w.counts.fault(name)
	return true
}

// violated notes the first violation; the run ends there.
func (w *world) violated(checker, format string, args ...any) {
	if w.bad != nil || w.only != "" && w.only != checker {
		return
	}
	w.bad = &Violation{Checker: checker, At: w.clock.Mono(), Detail: fmt.Sprintf(format, args...)}
	w.film.line("", "*", "VIOLATION", "%s: %s", checker, w.bad.Detail)
}

// view is the newest state.
func (w *world) view() state.View { return w.log.front.View() }

// committed tells everybody of a new entry.
func (w *world) committed(e entry) {
	w.counts.Commits++
	verdict := "ok"
	if e.result.Err != nil {
		w.counts.Refused++
		verdict = "refused: " + kindOf(e.result.Err)
	} else if !e.fresh() {
		verdict = fmt.Sprintf("as %d", e.result.Index)
	}
	at := "log"
	if w.log.leader != nil {
		at = w.log.leader.name
	}
	w.film.line(at, fmt.Sprint(e.Index), e.env.Command.Kind(), "%s", strings.TrimSpace(w.subject(e.env.Command)+" "+verdict))
	w.confirmEarly(e)
	for _, c := range w.checkers {
		c.committed(e)
	}
}

// observed tells the checkers what changed about a guest on a host.
func (w *world) observed(h *host, was, now hostagent.Have) {
	if up(now) && now.Boot != was.Boot {
		w.counts.Starts++
	}
	for _, c := range w.checkers {
		c.observed(h, was, now)
	}
}

// adopted tells the checkers that an agent may have taken a desired state.
func (w *world) adopted(h *host) { w.accepted.look(h) }

func (w *world) sent(r *request) {
	for _, c := range w.checkers {
		c.sent(r)
	}
}

func (w *world) answered(r *request) {
	for _, c := range w.checkers {
		c.answered(r)
	}
}

// node finds a control node by the name that hosts reach it by.
func (w *world) node(name string) *node {
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
