//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	lv "libvirt.org/go/libvirt"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// eventRoom is how many wake-ups wait for the agent before new ones drop.
	eventRoom = 256
	// trimEvery is how often console logs are measured.
	trimEvery = 15 * time.Second
	// firstWait is how long Open waits for the first connection.
	firstWait = 10 * time.Second
	// upTimeout bounds the look at all guests after a new connection.
	upTimeout = 30 * time.Second
)

// Driver implements hostagent.Driver with libvirt. It stays usable while
// libvirt's daemon is away: calls then fail with errs.Unavailable.
type Driver struct {
	opts   Options
	typ    DomainType
	store  *store
	link   *link
	guests *guests

	eventMu sync.Mutex // guards closing events against sending
	events  chan string
	over    bool

	stop context.CancelFunc
	done chan struct{} // the trimmer's end
}

var _ hostagent.Driver = (*Driver)(nil)

// Open makes a driver. A daemon that does not answer is no error: the driver
// keeps trying. errs.Invalid says that an option is wrong,
// errs.NotImplemented that libvirt is not installed.
func Open(o Options) (*Driver, error) {
	const op = "libvirt.Open"
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	st, err := openStore(o.InstancesDir)
	if err != nil {
		return nil, err
	}
	if closed := closedFolder(o.InstancesDir); closed != "" {
		o.Log.Warn("other users cannot pass a folder above the guests' disks: guests start only if QEMU runs as root",
			"folder", closed)
	}
	if err := loop.enter(o.Log, o.Clock); err != nil {
		_ = st.close() // the error to tell of is the other one
		if missingLibrary(err) {
			return nil, errs.E(op, errs.NotImplemented, "libvirt is not installed on this host", err)
		}
		return nil, errs.E(op, errs.Internal, "libvirt's event loop does not start", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &Driver{
		opts: o, typ: o.Type, store: st, guests: newGuests(),
		events: make(chan string, eventRoom), stop: cancel, done: make(chan struct{}),
	}
	if d.typ == "" {
		d.typ = bestType()
	}
	d.link = newLink(o, d.connected, d.changed)
	d.link.start()
	go d.trim(ctx)
	select {
	case <-d.link.tried:
	case <-o.Clock.After(firstWait):
	}
	return d, nil
}

// Type is the domain type that guests get here.
func (d *Driver) Type() DomainType { return d.typ }

// connected tells the agent to look at every guest: events of the time without
// a connection are lost.
func (d *Driver) connected() {
	ctx, cancel := context.WithTimeout(context.Background(), upTimeout)
	defer cancel()
	haves, err := d.List(ctx)
	if err != nil {
		d.opts.Log.Warn("the guests could not be listed after connecting", "err", err)
		return
	}
	for _, h := range haves {
		d.changed(h.ID)
	}
}

// changed wakes the agent for one of our guests. It runs in libvirt's event
// loop, so it only remembers.
func (d *Driver) changed(id string) {
	if !d.guests.known(id) {
		return
	}
	d.eventMu.Lock()
	defer d.eventMu.Unlock()
	if d.over {
		return
	}
	select {
	case d.events <- id:
	default: // dropped: the agent looks at everything from time to time
	}
}

// Events implements hostagent.Driver. After each new connection to libvirt it
// delivers every guest once.
func (d *Driver) Events() <-chan string { return d.events }

func (d *Driver) trim(ctx context.Context) {
	defer close(d.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.opts.Clock.After(trimEvery):
		}
		if err := d.store.trimAll(d.opts.ConsoleMax); err != nil {
			d.opts.Log.Warn("a console log could not be cut", "err", err)
		}
	}
}

// Close implements hostagent.Driver. Guests run on. It waits for calls under
// way, and gives errs.Unavailable if one does not end; a second Close does
// nothing.
func (d *Driver) Close() error {
	d.eventMu.Lock()
	if d.over {
		d.eventMu.Unlock()
		return nil
	}
	d.over = true
	close(d.events)
	d.eventMu.Unlock()
	d.stop()
	<-d.done
	if err := d.link.close(); err != nil {
		// The event loop stays for the call that hangs.
		return err
	}
	loop.leave()
	return d.store.close()
}

// read runs f on the connection for a caller that changes nothing.
func (d *Driver) read(ctx context.Context, op string, f func(*lv.Connect) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.opts.CallTimeout)
	defer cancel()
	return d.link.call(ctx, op, func() {}, f)
}

// change runs f for one guest, alone: while an earlier change of this guest is
// under way, even one whose caller left, it refuses with errs.Busy. f gets a
// context that ends with the caller's, to stop between its steps.
func (d *Driver) change(ctx context.Context, op, id string, f func(context.Context, *lv.Connect) error) error {
	if err := checkID(op, id); err != nil {
		return err
	}
	if !d.guests.hold(id) {
		return errs.Errorf(op, errs.Busy, "an earlier call for this guest has not ended")
	}
	ctx, cancel := context.WithTimeout(ctx, d.opts.CallTimeout)
	defer cancel()
	return d.link.call(ctx, op, func() { d.guests.release(id) }, func(c *lv.Connect) error { return f(ctx, c) })
}

// nonce marks one start of a guest.
func nonce() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b)
}
