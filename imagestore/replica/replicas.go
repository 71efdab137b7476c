package replica

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// lookEvery is how often a node looks for what it lacks, if nothing wakes it.
	lookEvery = 30 * time.Second
	// retryAfter is how soon it looks again after something could not be had.
	retryAfter = 2 * time.Second
	// grace is how long bytes stay that no image names: an upload that is under
	// way elsewhere may have brought them here.
	grace = 6 * time.Hour
	// fetchesAtOnce bounds the transfers to this node.
	fetchesAtOnce = 2
)

// Peer carries bytes between control nodes. Calls that make no progress end by
// themselves.
type Peer interface {
	// Fetch opens the bytes on the node at address. NotFound: it has none.
	Fetch(ctx context.Context, address, sha256 string) (body io.ReadCloser, err error)
	// Push stores bytes on the node at address, which has them on its disk when
	// it returns.
	Push(ctx context.Context, address string, e imagestore.Entry, body io.Reader) error
}

// Config is what Replicas are made of; all fields must be set.
type Config struct {
	Store *imagestore.Store
	Peer  Peer
	// Others are the addresses of the other control nodes.
	Others func() []string
	// Wanted lists the bytes that images name, as this node knows it.
	Wanted func() []imagestore.Entry
	Clock  clock.Clock
	Log    *slog.Logger
}

// Replicas is one control node's part. It is safe for concurrent use.
type Replicas struct {
	c     Config
	slots chan struct{}

	mu sync.Mutex
	// under are transfers to this node, by SHA-256; each is closed at its end.
	under map[string]chan struct{}
	// unnamed is since when bytes have been here that no image names.
	unnamed map[string]time.Duration
	stats   Stats
}

// Stats are for metrics.
type Stats struct {
	// Missing is how many images' bytes were not here at the last look.
	Missing int
	// Fetched, Failed and Removed count transfers to this node and removals.
	Fetched, Failed, Removed uint64
}

// New makes a node's part; Run sets it to work.
func New(c Config) *Replicas {
	return &Replicas{c: c, slots: make(chan struct{}, fetchesAtOnce), under: map[string]chan struct{}{}, unnamed: map[string]time.Duration{}}
}

// Stats reads the counters.
func (r *Replicas) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Run fetches what is wanted and removes what nobody wants until ctx ends. It
// looks when changed (asked for anew each time) says so, and now and then.
func (r *Replicas) Run(ctx context.Context, changed func() <-chan struct{}) {
	for ctx.Err() == nil {
		wake, pause := changed(), lookEvery
		if !r.look(ctx) {
			wake, pause = nil, retryAfter
		}
		select {
		case <-wake:
		case <-r.c.Clock.After(pause):
		case <-ctx.Done():
		}
	}
}

// look does what is to be done now; false if something could not be had.
func (r *Replicas) look(ctx context.Context) bool {
	wanted := map[string]bool{}
	var missing []imagestore.Entry
	for _, e := range r.c.Wanted() {
		if wanted[e.SHA256] {
			continue
		}
		wanted[e.SHA256] = true
		if !r.c.Store.Has(e.SHA256) {
			missing = append(missing, e)
		}
	}
	var failed sync.Map
	var all sync.WaitGroup
	for _, e := range missing {
		all.Go(func() {
			if err := r.fetch(ctx, e); err != nil {
				failed.Store(e.SHA256, err)
			}
		})
	}
	all.Wait()
	left := 0
	failed.Range(func(k, err any) bool {
		left++
		r.c.Log.Warn("image bytes could not be fetched", "sha256", k, "error", err)
		return true
	})
	r.mu.Lock()
	r.stats.Missing = left
	r.mu.Unlock()
	r.sweep(wanted)
	return left == 0
}

// sweep removes bytes that no image has named for as long as grace lasts.
func (r *Replicas) sweep(wanted map[string]bool) {
	have, err := r.c.Store.List()
	if err != nil {
		r.c.Log.Warn("the image store cannot be listed", "error", err)
		return
	}
	now := r.c.Clock.Mono()
	r.mu.Lock()
	defer r.mu.Unlock()
	unnamed := map[string]time.Duration{}
	for _, e := range have {
		if wanted[e.SHA256] {
			continue
		}
		since, known := r.unnamed[e.SHA256]
		if !known {
			since = now
		}
		if now-since < grace {
			unnamed[e.SHA256] = since
			continue
		}
		if err := r.c.Store.Delete(e.SHA256); err != nil {
			r.c.Log.Warn("image bytes could not be removed", "sha256", e.SHA256, "error", err)
			unnamed[e.SHA256] = since
			continue
		}
		r.stats.Removed++
		r.c.Log.Info("image bytes removed that no image names", "sha256", e.SHA256)
	}
	r.unnamed = unnamed
}

// Take stores bytes that another node pushes. Bytes that are here already are
// success, and count as new: an image may be about to name them.
func (r *Replicas) Take(ctx context.Context, e imagestore.Entry, body io.Reader) error {
	r.mu.Lock()
	delete(r.unnamed, e.SHA256)
	r.mu.Unlock()
	if r.c.Store.Has(e.SHA256) {
		return nil
	}
	return r.c.Store.PutExpect(ctx, body, e)
}

// Open gives an image's bytes, after fetching them from another control node if
// need be. Unavailable: nobody who answers has them.
func (r *Replicas) Open(ctx context.Context, e imagestore.Entry) (*os.File, int64, error) {
	f, size, err := r.c.Store.Open(e.SHA256)
	if !errs.Is(err, errs.NotFound) {
		return f, size, err
	}
	if err := r.fetch(ctx, e); err != nil {
		return nil, 0, err
	}
	return r.c.Store.Open(e.SHA256)
}

// fetch brings bytes here, once however many ask for them.
func (r *Replicas) fetch(ctx context.Context, e imagestore.Entry) error {
	for !r.c.Store.Has(e.SHA256) {
		r.mu.Lock()
		done, others := r.under[e.SHA256]
		if !others {
			done = make(chan struct{})
			r.under[e.SHA256] = done
		}
		r.mu.Unlock()
		if !others {
			err := r.fetchAlone(ctx, e)
			r.mu.Lock()
			delete(r.under, e.SHA256)
			if err == nil {
				r.stats.Fetched++
			} else {
				r.stats.Failed++
			}
			r.mu.Unlock()
			close(done)
			return err
		}
		select {
		case <-done: // whether it came or not shows at the next look
		case <-ctx.Done():
			return errs.E("replica.fetch", errs.Unavailable, "The image data is not on this node yet: try again.", ctx.Err())
		}
	}
	return nil
}

// fetchAlone asks one node after another.
func (r *Replicas) fetchAlone(ctx context.Context, e imagestore.Entry) error {
	const op = "replica.fetch"
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return errs.E(op, errs.Unavailable, "The image data is not on this node yet: try again.", ctx.Err())
	}
	last := errors.New("there is no other control node")
	for _, address := range r.c.Others() {
		body, err := r.c.Peer.Fetch(ctx, address, e.SHA256)
		if err == nil {
			err = r.c.Store.PutExpect(ctx, body, e)
			body.Close() // it was only read
		}
		if err == nil {
			return nil
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	return errs.E(op, errs.Unavailable, "The image data is on no control node that answers now: try again.", last)
}

// Spread pushes bytes that are here to the other control nodes until a majority
// of all has them on its disks, and lets the rest fetch them. Unavailable: a
// majority could not be had; the bytes stay where they got.
func (r *Replicas) Spread(ctx context.Context, sha256 string) error {
	others := r.c.Others()
	need := (len(others)+1)/2 + 1 - 1 // this node has them
	if need == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, len(others))
	for _, address := range others {
		go func() { done <- r.push(ctx, address, sha256) }()
	}
	var last error
	for range others {
		if err := <-done; err != nil {
			last = err
			continue
		}
		if need--; need == 0 {
			return nil
		}
	}
	return errs.E("replica.spread", errs.Unavailable, "The image data could not be stored on a majority of the control nodes: try again.", last)
}

func (r *Replicas) push(ctx context.Context, address, sha256 string) error {
	f, size, err := r.c.Store.Open(sha256)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.c.Peer.Push(ctx, address, imagestore.Entry{SHA256: sha256, Size: size}, f)
}
