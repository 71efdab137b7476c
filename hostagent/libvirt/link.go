//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	lv "libvirt.org/go/libvirt"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// maxCalls bounds the calls to libvirt that are under way at once.
	maxCalls = 16
	// A daemon that is silent for keepInterval * keepCount seconds is given up.
	keepInterval, keepCount = 5, 3
	firstRetry, lastRetry   = 200 * time.Millisecond, 5 * time.Second
	// closeWait is how long Close waits for calls that hang.
	closeWait = 20 * time.Second
)

// link is the connection to libvirt's daemon: made again whenever it is lost,
// by a goroutine of its own.
type link struct {
	uri   string
	log   *slog.Logger
	clock clock.Clock
	// up is called in link's goroutine for every new connection, changed in the
	// event loop for every change of a domain; changed must not block.
	up      func()
	changed func(uuid string)

	slots  chan struct{} // one for each call under way
	wake   chan struct{} // holds one: look at the connection
	tried  chan struct{} // closed after the first attempt
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	conn   *lv.Connect // nil while there is none
	why    error       // why there is none
	closed bool
	calls  sync.WaitGroup
}

// newLink makes a link that does nothing before start: up and changed may
// lead back to it, so its owner must hold it first.
func newLink(o Options, up func(), changed func(string)) *link {
	return &link{
		uri: o.URI, log: o.Log, clock: o.Clock, up: up, changed: changed,
		slots: make(chan struct{}, maxCalls), wake: make(chan struct{}, 1),
		tried: make(chan struct{}), done: make(chan struct{}),
		why: errors.New("not connected yet"),
	}
}

// start begins to connect; it waits for nothing. close ends it.
func (l *link) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go l.run(ctx)
}

// run keeps the connection until ctx ends.
func (l *link) run(ctx context.Context) {
	defer close(l.done)
	retry := firstRetry
	for first := true; ctx.Err() == nil; first = false {
		conn, events, err := l.dial()
		l.set(conn, err)
		if first {
			close(l.tried)
		}
		if err != nil {
			l.log.Warn("no connection to libvirt", "uri", l.uri, "err", err)
			_ = clock.Sleep(ctx, l.clock, retry) // the loop looks at ctx
			retry = min(2*retry, lastRetry)
			continue
		}
		l.log.Info("connected to libvirt", "uri", l.uri)
		retry = firstRetry
		l.up()
		l.watch(ctx, conn)
		l.set(nil, errors.New("the connection was lost"))
		hangUp(conn, events)
	}
}

// dial makes one connection and asks it for events; it gives the number under
// which these are asked for, too.
func (l *link) dial() (*lv.Connect, int, error) {
	conn, err := lv.NewConnect(l.uri)
	if err != nil {
		return nil, 0, err
	}
	events := -1
	err = conn.RegisterCloseCallback(func(*lv.Connect, lv.ConnectCloseReason) { l.poke() })
	if err == nil {
		events, err = conn.DomainEventLifecycleRegister(nil, func(_ *lv.Connect, d *lv.Domain, _ *lv.DomainEventLifecycle) {
			if id, err := d.GetUUIDString(); err == nil {
				l.changed(id)
			}
		})
	}
	if err == nil {
		// Drivers inside the process have no wire to keep alive, and say so.
		if e := conn.SetKeepAlive(keepInterval, keepCount); e != nil && code(e) != lv.ERR_NO_SUPPORT {
			err = e
		}
	}
	if err != nil {
		hangUp(conn, events)
		return nil, 0, err
	}
	return conn, events, nil
}

// watch returns when conn is dead or ctx ends.
func (l *link) watch(ctx context.Context, conn *lv.Connect) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		if alive, err := conn.IsAlive(); err != nil || !alive {
			return
		}
	}
}

// hangUp gives a connection back. Its callbacks hold references, so they go
// first; on a dead connection that fails, which changes nothing.
func hangUp(conn *lv.Connect, events int) {
	if events >= 0 {
		_ = conn.DomainEventDeregister(events)
	}
	_ = conn.UnregisterCloseCallback()
	_, _ = conn.Close()
}

func (l *link) set(conn *lv.Connect, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.why = conn, why
}

// poke makes run look whether the connection is alive.
func (l *link) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// acquire gives the connection with a reference that the caller gives back,
// and counts the call.
func (l *link) acquire(op string) (*lv.Connect, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errs.Errorf(op, errs.Unavailable, "the driver is closed")
	}
	if l.conn == nil {
		return nil, errs.E(op, errs.Unavailable, "the hypervisor does not answer", l.why)
	}
	if err := l.conn.Ref(); err != nil {
		return nil, errs.E(op, errs.Unavailable, "the hypervisor does not answer", err)
	}
	l.calls.Add(1)
	return l.conn, nil
}

// call runs f in a goroutine and waits for it until ctx ends. finish is called
// exactly once, when f has returned or was not run.
func (l *link) call(ctx context.Context, op string, finish func(), f func(*lv.Connect) error) error {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		finish()
		return errs.E(op, errs.Busy, "too many calls to the hypervisor are under way", ctx.Err())
	}
	conn, err := l.acquire(op)
	if err != nil {
		<-l.slots
		finish()
		return err
	}
	result := make(chan error, 1)
	go func() {
		defer l.calls.Done()
		err := f(conn)
		if lost(err) {
			l.poke()
		}
		_, _ = conn.Close() // only the reference of acquire
		<-l.slots
		finish()
		result <- wrap(op, err)
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return errs.E(op, errs.Unavailable, "the hypervisor takes too long", ctx.Err())
	}
}

// close hangs up and waits for calls under way, but not for ever: a call that
// libvirt never ends cannot be ended here either.
func (l *link) close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	all := make(chan struct{})
	go func() {
		<-l.done
		l.calls.Wait()
		close(all)
	}()
	select {
	case <-all:
		return nil
	case <-l.clock.After(closeWait):
		return errs.Errorf("libvirt.Close", errs.Unavailable, "a call to the hypervisor does not end")
	}
}
