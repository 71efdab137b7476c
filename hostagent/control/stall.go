package control

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// watchdog calls a transfer off when it makes no progress.
type watchdog struct {
	cancel context.CancelFunc
	fed    chan struct{}
	done   chan struct{}
	once   sync.Once
	ended  sync.WaitGroup
}

// newWatchdog starts one; stop ends it and waits for it.
func newWatchdog(clk clock.Clock, stall time.Duration, cancel context.CancelFunc) *watchdog {
	w := &watchdog{cancel: cancel, fed: make(chan struct{}, 1), done: make(chan struct{})}
	w.ended.Go(func() { w.run(clk, stall) })
	return w
}

// run looks once in each span whether there was food in it, so that a large
// image does not make a timer for each read.
func (w *watchdog) run(clk clock.Clock, stall time.Duration) {
	for {
		select {
		case <-w.done:
			return
		case <-clk.After(stall):
		}
		select {
		case <-w.fed:
		default:
			w.cancel()
			return
		}
	}
}

func (w *watchdog) feed() {
	select {
	case w.fed <- struct{}{}:
	default:
	}
}

func (w *watchdog) stop() {
	w.once.Do(func() { close(w.done) })
	w.ended.Wait()
	w.cancel()
}

// imageBody is an image's bytes under a watchdog.
type imageBody struct {
	body     io.ReadCloser
	watchdog *watchdog
	broken   func() // is told when the transfer breaks off
}

// Read implements io.Reader.
func (b *imageBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if n > 0 {
		b.watchdog.feed()
	}
	if err != nil && err != io.EOF {
		b.broken()
		err = errs.E("control.image", errs.Unavailable, "The image's transfer broke off.", err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *imageBody) Close() error {
	b.watchdog.stop()
	return b.body.Close()
}
