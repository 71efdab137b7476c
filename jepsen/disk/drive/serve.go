package drive

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/disk"
)

const (
	// maxCalls bounds the requests under way.
	maxCalls = 16
	// requestWait is how long a caller may take to say what it wants.
	requestWait = 2 * time.Second
)

// serve answers the harness until ctx ends, or somebody asks to close.
func (d *drive) serve(ctx context.Context, l net.Listener) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var calls sync.WaitGroup
	defer calls.Wait()
	slots := make(chan struct{}, maxCalls)
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			conn.Close()
			return
		}
		calls.Go(func() {
			defer func() { conn.Close(); <-slots }()
			hangUp := context.AfterFunc(ctx, func() { conn.Close() })
			defer hangUp()
			if d.call(ctx, conn) == disk.DoClose {
				cancel()
			}
		})
	}
}

// call answers one request, and says which it was.
func (d *drive) call(ctx context.Context, conn net.Conn) string {
	var r disk.Request
	if err := conn.SetReadDeadline(d.clock.Now().Add(requestWait)); err != nil {
		return ""
	}
	if err := json.NewDecoder(io.LimitReader(conn, disk.MaxRequest)).Decode(&r); err != nil {
		return ""
	}
	reply, err := d.answer(ctx, r)
	if err != nil {
		reply.Error, reply.Kind = err.Error(), errs.KindOf(err).String()
	}
	if err := json.NewEncoder(conn).Encode(reply); err != nil {
		d.log.Warn("nobody waits for the answer", "do", r.Do, "err", err)
	}
	return r.Do
}

func (d *drive) answer(ctx context.Context, r disk.Request) (reply disk.Reply, err error) {
	switch r.Do {
	case disk.DoStatus:
		reply.Status = d.status()
	case disk.DoAdd:
		reply.ID, err = d.add(ctx, r.Fault)
	case disk.DoLift:
		reply.Effect, err = d.standing.lift(r.ID)
	case disk.DoCut:
		err = d.cut()
	case disk.DoLose:
		reply.Lost, err = d.lose(orZero(r.Loss))
	case disk.DoSave:
		err = d.save(ctx, r.Name)
	case disk.DoPut:
		err = d.put(ctx, r.Name)
	case disk.DoFlip:
		reply.Event, err = d.flip(ctx, orZero(r.Flip))
	case disk.DoTrace:
		d.trace.flush()
		reply.Trace = d.trace.part(r.From, r.Max)
	case disk.DoClose:
		err = d.close()
	default:
		err = errs.Errorf("drive.answer", errs.Invalid, "a disk does not know how to %q", r.Do)
	}
	return reply, err
}

func orZero[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}

// add begins a fault. What the kernel has in its cache of what can no longer be
// read it forgets: before, for what may hang in it afterwards, and after, for
// what was read meanwhile.
func (d *drive) add(ctx context.Context, f *disk.Fault) (int, error) {
	if f == nil {
		return 0, errs.Errorf("drive.add", errs.Invalid, "no fault is named")
	}
	if err := f.Check(); err != nil {
		return 0, err
	}
	reads := f.Kind != disk.Full && (len(f.Ops) == 0 || slices.Contains(f.Ops, disk.Read))
	if reads {
		d.forgetCaches(ctx, f.Path)
	}
	id, err := d.standing.add(*f)
	if err == nil && reads {
		d.forgetCaches(ctx, f.Path)
	}
	return id, err
}
