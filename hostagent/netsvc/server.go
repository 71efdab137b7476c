package netsvc

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/kvorum/kvorum/internal/errs"
)

// Options are what a Server needs.
type Options struct {
	// Enter runs f with its thread in a namespace, as netd/kernel does.
	Enter func(space string, f func() error) error
	// Resolvers gives the resolvers to ask for names outside, as
	// "address:port"; they are asked from the namespace of the process.
	Resolvers func() []string
	Log       *slog.Logger
}

// Server holds all listeners of a host.
type Server struct {
	opts Options
	// mu is held for a whole Reconcile or Close: one of them at a time.
	mu      sync.Mutex
	workers map[place]*worker
	closed  bool
}

// place is where a service listens.
type place struct{ space, link string }

// New gives a server without listeners.
func New(o Options) *Server { return &Server{opts: o, workers: map[place]*worker{}} }

// Reconcile makes the running services what is wanted: it starts and stops
// some, and starts those again whose namespace or link was made anew or whose
// sockets failed. It tells of all services that could not be started; the
// others run. ctx bounds only the call, not the services.
func (s *Server) Reconcile(ctx context.Context, want []Service) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errs.Errorf("netsvc.reconcile", errs.Unavailable, "the network services are stopped")
	}
	keep := map[place]bool{}
	var failed []error
	for _, svc := range want {
		p := place{svc.Space, svc.Link}
		if keep[p] {
			failed = append(failed,
				errs.Errorf("netsvc.reconcile", errs.Invalid, "link %s of %s has two services", svc.Link, svc.Space))
			continue
		}
		keep[p] = true
		if err := s.ensure(ctx, p, svc); err != nil {
			failed = append(failed,
				errs.E("netsvc.start", errs.Internal, "network "+svc.Network+" has no services on this host", err))
		}
	}
	for p, w := range s.workers {
		if !keep[p] {
			s.stop(p, w)
		}
	}
	return errors.Join(failed...)
}

// ensure makes one service run.
func (s *Server) ensure(ctx context.Context, p place, svc Service) error {
	var at identity
	err := s.opts.Enter(p.space, func() (err error) {
		at, err = identify(p.link)
		return err
	})
	w, running := s.workers[p]
	if running && (err != nil || w.at != at || w.dead() || w.differs(svc)) {
		s.stop(p, w)
		running = false
	}
	if err != nil {
		return err
	}
	if running {
		w.current.Store(&svc)
		return nil
	}
	w, err = s.start(ctx, p, at, svc)
	if err != nil {
		return err
	}
	s.workers[p] = w
	s.opts.Log.Info("network services started", "network", svc.Network, "space", p.space, "link", p.link)
	return nil
}

func (s *Server) stop(p place, w *worker) {
	w.stop()
	delete(s.workers, p)
	s.opts.Log.Info("network services stopped", "space", p.space, "link", p.link)
}

// Running tells whether a network's services listen on this host.
func (s *Server) Running(network string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workers {
		if w.current.Load().Network == network && !w.dead() {
			return true
		}
	}
	return false
}

// Close stops everything and waits for it.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for p, w := range s.workers {
		s.stop(p, w)
	}
}
