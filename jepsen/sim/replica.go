package sim

import (
	"bytes"
	"fmt"
	"time"

	"github.com/kvorum/kvorum/fsm"
)

// replica is a further control node: it applies the log later than the front
// node, in batches of any size, and now and then from a snapshot.
type replica struct {
	w       *world
	name    string
	machine *fsm.Machine
	next    int // the first entry that is not applied
}

func newReplica(w *world, n int) *replica {
	return &replica{w: w, name: fmt.Sprintf("c%d", n), machine: fsm.New(false)}
}

// live catches up now and then.
func (r *replica) live() {
	behind := len(r.w.log.entries) - r.next
	switch {
	case behind > 20 && r.w.net.permille(250):
		r.install()
	case behind > 0:
		r.apply(1 + r.w.net.IntN(behind))
	}
	r.w.in(r.w.net.span(50*time.Millisecond, 4*time.Second), r.live)
}

// apply applies the next n entries.
func (r *replica) apply(n int) {
	batch := append([]fsm.Entry(nil), r.w.log.entries[r.next:r.next+n]...)
	if r.w.broken == OwnClock {
		for i := range batch {
			batch[i].At += int64(r.w.clock.Mono())
		}
	}
	r.machine.ApplyBatch(batch)
	r.next += n
	r.w.agree(r.name, r.machine)
}

// install takes a snapshot of the front node.
func (r *replica) install() {
	if err := r.machine.Restore(bytes.NewReader(r.w.log.snapshot())); err != nil {
		r.w.violated("replicas agree", "%s cannot install a snapshot: %v", r.name, err)
		return
	}
	r.next = len(r.w.log.entries)
	r.w.counts.Restores++
	r.w.film.line(r.name, "*", "snapshot", "index=%d", r.next)
	r.w.agree(r.name, r.machine)
}
