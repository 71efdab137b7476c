package disk

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Disk is a running disk, seen from the harness. Its methods may be called from
// many goroutines; ctx bounds each, and an Unknown error means that what was
// asked may have been done.
type Disk struct {
	socket string
	// Of a disk that this process started, else nil.
	lifeline io.Closer
	ended    chan struct{}
	wait     sync.Once
}

// pollEvery is how often a beginning is looked for.
const pollEvery = 5 * time.Millisecond

// Attach finds a disk that somebody started, by its socket, and waits until it
// is mounted or ctx ends.
func Attach(ctx context.Context, socket string, c clock.Clock) (*Disk, error) {
	d := &Disk{socket: socket}
	for {
		_, err := d.Status(ctx)
		if err == nil {
			return d, nil
		}
		if clock.Sleep(ctx, c, pollEvery) != nil {
			return nil, err
		}
	}
}

// Start runs a disk as a child of this process, by a program that calls
// drive.Main, and waits until it is mounted. What the child has to say goes to
// log. It ends, and unmounts, when this process does.
func Start(ctx context.Context, program string, o Options, log *os.File, c clock.Clock) (*Disk, error) {
	const op = "disk.start"
	if err := o.Check(); err != nil {
		return nil, err
	}
	if _, err := (&Disk{socket: o.Socket()}).Status(ctx); err == nil {
		return nil, errs.Errorf(op, errs.Conflict, "a disk runs on %s already", o.Store)
	}
	o.Lifeline = true
	cmd := exec.Command(program, o.Args()...)
	cmd.Stdout, cmd.Stderr = log, log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	attach, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-ended:
			cancel() // it will never answer
		case <-attach.Done():
		}
	}()
	d, err := Attach(attach, o.Socket(), c)
	if err != nil {
		return nil, errors.Join(err, in.Close(), cmd.Process.Kill())
	}
	d.lifeline, d.ended = in, ended
	return d, nil
}

// Close unmounts the disk and ends its process; one that Start made is waited
// for. Whoever still works in the mount gets errors. The store stays.
func (d *Disk) Close(ctx context.Context) error {
	_, err := d.ask(ctx, Request{Do: DoClose})
	if d.lifeline == nil {
		return err
	}
	d.wait.Do(func() { _ = d.lifeline.Close() })
	select {
	case <-d.ended:
		return nil // however it came to that
	case <-ctx.Done():
		return errs.E("disk.close", errs.Unavailable, "the disk does not end", ctx.Err())
	}
}

// Status tells what the disk is now.
func (d *Disk) Status(ctx context.Context) (Status, error) {
	r, err := d.ask(ctx, Request{Do: DoStatus})
	if err != nil || r.Status == nil {
		return Status{}, orMissing(err)
	}
	return *r.Status, nil
}

// Add begins a fault and gives its id. At most 256 stand at a time.
func (d *Disk) Add(ctx context.Context, f Fault) (int, error) {
	r, err := d.ask(ctx, Request{Do: DoAdd, Fault: &f})
	return r.ID, err
}

// Lift ends a fault, lets go what it holds, and tells what came of it. NotFound
// if it does not stand.
func (d *Disk) Lift(ctx context.Context, id int) (Effect, error) {
	r, err := d.ask(ctx, Request{Do: DoLift, ID: id})
	if err != nil || r.Effect == nil {
		return Effect{}, orMissing(err)
	}
	return *r.Effect, nil
}

// Cut switches the power off: from now on nothing is done and nobody is
// answered, until the node is killed and PowerLoss or Put switch it on again.
func (d *Disk) Cut(ctx context.Context) error {
	_, err := d.ask(ctx, Request{Do: DoCut})
	return err
}

// PowerLoss cuts the power if that was not done, takes what was not synced, and
// mounts the disk anew, with nothing left in the kernel's cache. The node must
// be dead: one that lives gets errors. Faults stand as before.
//
// TooLarge means that it was done, but had to spare what was Spilled: a test
// that counts on the loss has shown nothing.
func (d *Disk) PowerLoss(ctx context.Context, l Loss) (Lost, error) {
	r, err := d.ask(ctx, Request{Do: DoLose, Loss: &l})
	if r.Lost == nil {
		return Lost{}, orMissing(err)
	}
	return *r.Lost, err
}

// Save keeps the folder as it is now, synced or not, under a name. It costs a
// copy, during which the node waits; at most 16 names, and one of a name again
// replaces it.
func (d *Disk) Save(ctx context.Context, name string) error {
	_, err := d.ask(ctx, Request{Do: DoSave, Name: name})
	return err
}

// Put puts the folder back as it was saved under the name, as from a backup,
// and mounts the disk anew. The node must be dead. NotFound if there is no such
// name.
func (d *Disk) Put(ctx context.Context, name string) error {
	_, err := d.ask(ctx, Request{Do: DoPut, Name: name})
	return err
}

// Flip turns one bit, durably, and empties the kernel's cache of the file; the
// event says which. NotFound if no file with bytes matches.
func (d *Disk) Flip(ctx context.Context, f Flip) (Event, error) {
	r, err := d.ask(ctx, Request{Do: DoFlip, Flip: &f})
	if err != nil || r.Event == nil {
		return Event{}, orMissing(err)
	}
	return *r.Event, nil
}

// Trace gives at most max events from a Seq on; 10,000 at most, and if max is 0.
func (d *Disk) Trace(ctx context.Context, from uint64, max int) (Trace, error) {
	r, err := d.ask(ctx, Request{Do: DoTrace, From: from, Max: max})
	if err != nil || r.Trace == nil {
		return Trace{}, orMissing(err)
	}
	return *r.Trace, nil
}

// orMissing is err, or that of an answer that lacks what was asked for.
func orMissing(err error) error {
	if err == nil {
		err = errs.Errorf("disk.ask", errs.Internal, "the disk's answer lacks what was asked")
	}
	return err
}
