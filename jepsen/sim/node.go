package sim

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/api/agentapi"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/leader"
)

// maxBacklog bounds what waits for a paused node; the rest is lost.
const maxBacklog = 256

// node is a control node: a machine that lags behind the log, the agents' door
// on it, a voter's register of the hosts' leases, and the duties while it leads
// or believes so.
type node struct {
	w       *world
	name    string
	clock   *watch
	machine *fsm.Machine
	next    int // the first entry that is not applied
	// term is what its vote store has: it outlives a restart.
	term     uint64
	door     http.Handler
	register voter
	leading  *duties // nil while it does not believe that it leads

	// dark: it does not run. paused: it stands still, and its clock does not.
	// isolated: no other node hears it; hosts do.
	dark, paused, isolated bool
	life                   int // starts so far: an event of a former life is void
	backlog                []func()
	// saved is its last snapshot, of savedAt entries.
	saved   []byte
	savedAt int
}

func newNode(w *world, i int) *node {
	n := &node{w: w, name: fmt.Sprintf("c%d", i+1), clock: newWatch(w), machine: fsm.New(false), term: 1}
	w.film.names[n.name] = n.name
	n.open()
	return n
}

// open makes what a starting node makes: its door, and a register that knows
// nothing.
func (n *node) open() {
	n.register = n.w.newVoter(n)
	n.door = (&agentapi.Door{
		Cluster: n, Peek: n.machine.View, Feed: n.machine.Feed(), Lease: n.register.Renew, Rival: n.register.Rival,
		Images: noImages{}, Opener: noSecrets{},
		Clock: impatient{n.clock}, Log: slog.New(slog.DiscardHandler), NewID: n.w.ids.uuid,
	}).Handler()
}

// in lets something happen on the node after a while, if it is still in the same
// life then. A paused node does it when it goes on.
func (n *node) in(after time.Duration, do func()) {
	life := n.life
	n.w.in(after, func() { n.run(life, do) })
}

func (n *node) run(life int, do func()) {
	switch {
	case n.dark || n.life != life:
	case n.paused:
		if len(n.backlog) < maxBacklog {
			n.backlog = append(n.backlog, func() { n.run(life, do) })
		}
	default:
		do()
	}
}

// well says that the node takes part in the log.
func (n *node) well() bool { return !n.dark && !n.paused && !n.isolated }

// electorate is all nodes, with the names that hosts reach them by.
func (w *world) electorate() assign.Electorate {
	e := assign.Electorate{Index: 1}
	for _, n := range w.nodes {
		e.Nodes = append(e.Nodes, assign.Node{ID: n.name, Address: "http://" + n.name, Voter: true})
	}
	return e
}

// live catches up now and then, and makes a snapshot of what it has.
func (n *node) live() {
	behind := len(n.w.log.entries) - n.next
	switch {
	case n.isolated:
	case behind > 20 && n.w.net.permille(250):
		n.install()
	case behind > 0:
		n.apply(1 + n.w.net.IntN(behind))
	}
	if n.next > n.savedAt+50 {
		n.saved, n.savedAt = n.w.log.snapshot(n.machine), n.next
	}
	n.in(n.w.net.span(50*time.Millisecond, 4*time.Second), n.live)
}

// apply applies the next entries.
func (n *node) apply(count int) {
	batch := append([]fsm.Entry(nil), n.w.log.entries[n.next:n.next+count]...)
	if n.w.broken == OwnClock {
		for i := range batch {
			batch[i].At += int64(n.clock.Mono())
		}
	}
	n.machine.ApplyBatch(batch)
	n.next += count
	n.w.agree(n.name, n.machine)
	if n.leading != nil {
		n.leading.wake()
	}
}

// catchUp applies what is missing up to an index.
func (n *node) catchUp(index int) {
	if missing := min(index, len(n.w.log.entries)) - n.next; missing > 0 {
		n.apply(missing)
	}
}

// install takes a snapshot of a node that has everything.
func (n *node) install() {
	if n.restore(n.w.log.snapshot(n.w.log.front)) {
		n.next = len(n.w.log.entries)
		n.w.film.line(n.name, "*", "snapshot", "index=%d", n.next)
	}
}

// restore takes a snapshot, and tells whether that went well.
func (n *node) restore(snapshot []byte) bool {
	if err := n.machine.Restore(bytes.NewReader(snapshot)); err != nil {
		n.w.violated("replicas agree", "%s cannot restore a snapshot: %v", n.name, err)
		return false
	}
	n.w.counts.Restores++
	if bad := state.Check(n.machine.View()); len(bad) > 0 {
		n.w.violated("the state is sound", "%s restored a snapshot: %v", n.name, bad)
	}
	n.w.agree(n.name, n.machine)
	return true
}

// stop ends the node; start starts it again from its last snapshot.
func (n *node) stop() {
	n.life++
	n.dark, n.paused, n.leading, n.backlog = true, false, nil, nil
	n.w.film.line(n.name, "!", "node ends", "index=%d", n.next)
	if n.w.log.leader == n {
		n.w.log.lose(false)
	}
}

func (n *node) start() {
	if !n.dark {
		return
	}
	n.dark = false
	n.machine, n.next = fsm.New(false), n.savedAt
	if n.saved != nil && !n.restore(n.saved) {
		return
	}
	n.open()
	n.w.film.line(n.name, "*", "node", "index=%d", n.next)
	n.hear(time.Second)
	n.in(n.w.net.span(0, time.Second), n.live)
}

// pause makes the node stand still; resume lets it go on with all that came for
// it meanwhile.
func (n *node) pause() {
	n.paused = true
	n.w.film.line(n.name, "!", "paused", "")
	if n.w.log.leader == n {
		n.w.log.lose(false)
	}
}

func (n *node) resume() {
	if !n.paused {
		return
	}
	n.paused = false
	n.w.film.line(n.name, "*", "goes on", "%d waited", len(n.backlog))
	n.hear(time.Second)
	waited := n.backlog
	n.backlog = nil
	for _, do := range waited {
		n.w.in(n.w.net.span(0, 100*time.Millisecond), do)
	}
}

// isolate cuts the node off from the others; rejoin ends that. One that leads
// steps down after a while without a majority.
func (n *node) isolate() {
	n.isolated = true
	n.w.film.line(n.name, "!", "isolated", "")
	if n.w.log.leader == n {
		n.w.log.lose(false)
		n.in(n.w.flt.span(500*time.Millisecond, 2500*time.Millisecond), n.stepDown)
	}
}

func (n *node) rejoin() {
	if !n.isolated {
		return
	}
	n.isolated = false
	n.w.film.line(n.name, "*", "rejoined", "")
	n.hear(time.Second)
}

// hear lets the node hear from the present leader within a while.
func (n *node) hear(within time.Duration) {
	n.in(n.w.net.span(20*time.Millisecond, within), func() {
		if n.w.log.leader != nil && !n.isolated {
			n.learn(n.w.log.term)
		}
	})
}

// learn puts a term into the vote store. Whoever led in an earlier one knows now
// that it does not.
func (n *node) learn(term uint64) {
	if term <= n.term {
		return
	}
	n.term = term
	n.stepDown()
}

// stepDown ends the node's belief that it leads. What it had under way still
// comes to the log.
func (n *node) stepDown() {
	if n.leading != nil && n.w.log.leader != n {
		n.w.film.line(n.name, "*", "steps down", "term=%d", n.leading.term)
		n.leading = nil
	}
}

// lead begins a term. The duties begin once everything before it is applied.
func (n *node) lead() {
	d := &duties{n: n, term: n.term, caller: leader.NewCaller(n.term, n.w.opts.Lease)}
	n.leading = d
	before := len(n.w.log.entries)
	n.in(n.w.net.span(time.Millisecond, 300*time.Millisecond), func() {
		n.catchUp(before)
		d.begin()
	})
}
