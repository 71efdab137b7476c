//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	lv "libvirt.org/go/libvirt"

	"github.com/kvorum/kvorum/internal/clock"
)

// eventLoop is the one goroutine in which libvirt handles its sockets and
// timers. libvirt has a single event loop for the whole process, so this is
// the package's only global: it runs while at least one driver is open, and
// the last one to leave waits for its end.
type eventLoop struct {
	mu         sync.Mutex
	users      int
	registered bool
	timer      int
	stop       atomic.Bool
	done       chan struct{}
}

var loop eventLoop

// enter starts the loop for its first user. It must come before any connection
// is opened.
func (l *eventLoop) enter(log *slog.Logger, c clock.Clock) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 {
		if !l.registered {
			if err := lv.EventRegisterDefaultImpl(); err != nil {
				return err
			}
			l.registered = true
		}
		// The timer never fires by itself; leave fires it to wake the loop.
		timer, err := lv.EventAddTimeout(-1, func(int) {})
		if err != nil {
			return err
		}
		l.timer = timer
		l.stop.Store(false)
		l.done = make(chan struct{})
		go l.run(log, c, l.done)
	}
	l.users++
	return nil
}

func (l *eventLoop) run(log *slog.Logger, c clock.Clock, done chan<- struct{}) {
	defer close(done)
	for !l.stop.Load() {
		if err := lv.EventRunDefaultImpl(); err != nil {
			log.Error("libvirt's event loop failed", "err", err)
			_ = clock.Sleep(context.Background(), c, 100*time.Millisecond) // never cancelled
		}
	}
}

// leave ends the loop after its last user.
func (l *eventLoop) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	if l.users > 0 {
		return
	}
	l.stop.Store(true)
	lv.EventUpdateTimeout(l.timer, 0)
	<-l.done
	_ = lv.EventRemoveTimeout(l.timer) // it exists: enter made it
}
