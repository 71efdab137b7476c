package resttest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// World is the control plane under test. Make it with New.
type World struct {
	T       testing.TB
	Machine *fsm.Machine
	Clock   *clock.Fake
	Shell   *rest.Shell
	Router  chi.Router

	mu    sync.Mutex
	index uint64
	// Lost makes every Propose answer errs.Unknown after it was done.
	Lost bool
}

// New makes a world with the things of things.go in it, and no front door.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{T: t, Machine: fsm.New(true), Router: chi.NewRouter(),
		Clock: clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC))}
	w.Shell = &rest.Shell{Cluster: w, Auth: tokens{}, Clock: w.Clock, Log: slog.New(slog.DiscardHandler),
		PublicURL: "http://cloud", Timeout: time.Minute, Slots: make(chan struct{}, 64)}
	w.fill()
	return w
}

// Front adds a front door.
func (w *World) Front(d *rest.Dialect, routes []rest.Route) { w.Shell.Front(w.Router, d, routes) }

// View is the state now.
func (w *World) View() state.View { return w.Machine.View() }

// Read implements rest.Cluster.
func (w *World) Read(context.Context) (state.View, error) { return w.View(), nil }

// Propose implements rest.Cluster: the command takes the way through its
// encoding, and the clock moves on by a second.
func (w *World) Propose(_ context.Context, e command.Envelope) (rest.Done, error) {
	b, err := command.Encode(e)
	if err != nil {
		return rest.Done{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Clock.Advance(time.Second)
	w.index++
	r := w.Machine.ApplyBatch([]fsm.Entry{{Index: w.index, Term: 1, At: w.Clock.Now().UnixNano(), Data: b}})[0]
	if w.Lost {
		return rest.Done{}, errs.Errorf("resttest.propose", errs.Unknown, "the outcome is not known")
	}
	return rest.Done{Index: w.index, IDs: r.IDs, View: w.View()}, r.Err
}

// Apply puts a command in the log.
func (w *World) Apply(by command.By, c command.Command) ([]string, error) {
	w.T.Helper()
	done, err := w.Propose(context.Background(), command.Envelope{ID: fmt.Sprintf("req-world-%d", w.index+1), By: by, Command: c})
	return done.IDs, err
}

// Must is Apply of a command that is not refused.
func (w *World) Must(by command.By, c command.Command) []string {
	w.T.Helper()
	ids, err := w.Apply(by, c)
	if err != nil {
		w.T.Fatalf("%s: %v", c.Kind(), err)
	}
	return ids
}
