package cluster

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// maxOps and maxEvents bound a history.
const (
	maxOps    = 2_000_000
	maxEvents = 200_000
)

// Event is what was done to the cluster, and what was seen of it.
type Event struct {
	At   int64  `json:"at"`
	Name string `json:"fault,omitempty"`
	// On names the machines.
	On []string `json:"on,omitempty"`
	// Begins and Ends tell which end of the fault this is; neither is a remark.
	Begins bool   `json:"begins,omitempty"`
	Ends   bool   `json:"ends,omitempty"`
	Text   string `json:"text,omitempty"`
	// Role and Term are what a control node was seen to be from now on; it
	// has no fault's name.
	Role string `json:"role,omitempty"`
	Term uint64 `json:"term,omitempty"`
}

// History is what the clients of a run did and were answered, and what was
// done to the cluster meanwhile. It is safe for concurrent use until it is
// sealed by Ops.
type History struct {
	clock clock.Clock
	began time.Duration

	mu     sync.Mutex
	ops    []Op
	events []Event
}

// NewHistory begins a history now.
func NewHistory(c clock.Clock) *History { return &History{clock: c, began: c.Mono()} }

// Now is the present reading, in nanoseconds since the history began.
func (h *History) Now() int64 { return int64(h.clock.Mono() - h.began) }

// Add notes an operation that has ended; it is dropped if there are too many.
func (h *History) Add(op Op) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ops) < maxOps {
		op.Number = len(h.ops) + 1
		h.ops = append(h.ops, op)
	}
}

// Tell notes an event; it is dropped if there are too many. One that has no
// time is of now.
func (h *History) Tell(e Event) {
	if e.At == 0 {
		e.At = h.Now()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) < maxEvents {
		h.events = append(h.events, e)
	}
}

// Ops gives all operations in the order in which they ended.
func (h *History) Ops() []Op {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ops
}

// Events gives all events in the order in which they were told.
func (h *History) Events() []Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events
}

// Save writes the history as lines of JSON: the operations to path, the events
// beside it.
func (h *History) Save(ops, events string) error {
	if err := saveLines(ops, h.Ops()); err != nil {
		return err
	}
	return saveLines(events, h.Events())
}

func saveLines[T any](path string, list []T) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	for i := range list {
		if err := enc.Encode(&list[i]); err != nil {
			_ = f.Close()
			return err
		}
	}
	if err := w.Flush(); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
