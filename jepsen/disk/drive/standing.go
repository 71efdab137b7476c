package drive

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// maxStanding bounds the faults that stand at a time.
const maxStanding = 256

// standing are the faults of the moment. They outlive power losses.
type standing struct {
	seed uint64
	// armed is how many there are, to be read without the lock: mostly none.
	armed atomic.Int32

	mu   sync.Mutex
	last int
	all  []*fault
}

type fault struct {
	disk.Effect
	room   int64
	lifted chan struct{}
}

// verdict is what the faults say to one operation.
type verdict struct {
	// gone means that nobody waits for the operation any more.
	gone bool
	// spoil is to answer EIO, drop to forget what should have been synced, cut to
	// cut the power.
	spoil, drop, cut bool
}

func (s *standing) add(f disk.Fault) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) >= maxStanding {
		return 0, errs.Errorf("drive.add", errs.Busy, "%d faults stand already", maxStanding)
	}
	if f.Kind == disk.Cut {
		f.Times = 1
	}
	s.last++
	s.all = append(s.all, &fault{Effect: disk.Effect{ID: s.last, Fault: f}, room: f.Room, lifted: make(chan struct{})})
	s.armed.Store(int32(len(s.all)))
	return s.last, nil
}

func (s *standing) lift(id int) (*disk.Effect, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.all, func(f *fault) bool { return f.ID == id })
	if at < 0 {
		return nil, errs.Errorf("drive.lift", errs.NotFound, "no fault %d stands", id)
	}
	f := s.all[at]
	s.all = slices.Delete(s.all, at, at+1)
	s.armed.Store(int32(len(s.all)))
	close(f.lifted)
	e := f.Effect
	return &e, nil
}

func (s *standing) effects() []disk.Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []disk.Effect{}
	for _, f := range s.all {
		all = append(all, f.Effect)
	}
	return all
}

// hits are the faults that spoil this operation; it counts.
func (s *standing) hits(class disk.Op, file string) (all []hit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.all {
		if f.Fault.Kind == disk.Full || !f.Fault.Reaches(class, file) {
			continue
		}
		f.Seen++
		if f.Seen <= int64(f.Fault.Skip) || f.Fault.Times > 0 && f.Hits >= int64(f.Fault.Times) {
			continue
		}
		if odds := int64(f.Fault.Odds); odds > 0 && below(1000, s.seed, "odds", f.ID, f.Seen) >= odds {
			continue
		}
		f.count()
		f.Waiting++
		all = append(all, hit{f, f.Hits})
	}
	return all
}

// hit is one operation of a fault, by its number.
type hit struct {
	*fault
	number int64
}

func (f *fault) count() {
	f.Hits++
	f.Last = clock.SinceBoot()
	if f.Hits == 1 {
		f.First = f.Last
	}
}

// meet lets an operation meet the faults. wait waits until the channel closes
// or the time is over (negative: never), and gives false if nobody waits for
// the operation any more.
func (s *standing) meet(class disk.Op, file string, wait func(<-chan struct{}, time.Duration) bool) (v verdict) {
	if s.armed.Load() == 0 || class == "" {
		return v
	}
	all := s.hits(class, file)
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range all {
			f.Waiting--
		}
	}()
	for _, f := range all {
		stays := true
		switch f.Fault.Kind {
		case disk.Slow:
			d := f.Fault.Delay + time.Duration(below(int64(f.Fault.Jitter)+1, s.seed, "jitter", f.ID, f.number))
			stays = wait(f.lifted, d)
		case disk.Hang:
			stays = wait(f.lifted, -1)
		case disk.Error:
			v.spoil, v.drop = true, v.drop || f.Fault.Drop
		case disk.Cut:
			v.cut = true
		}
		if !stays {
			return verdict{gone: true}
		}
	}
	return v
}

// take takes room for a file, in bytes that make whole blocks, and gives how
// much: want, unless a disk is full.
func (s *standing) take(file string, want int64) int64 {
	if s.armed.Load() == 0 {
		return want
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	granted := want
	for _, f := range s.all {
		if f.Fault.Kind == disk.Full && f.Fault.Reaches(disk.Write, file) {
			f.Seen++
			granted = min(granted, max(f.room, 0)/blockSize*blockSize)
		}
	}
	for _, f := range s.all {
		if f.Fault.Kind == disk.Full && f.Fault.Reaches(disk.Write, file) {
			f.room -= granted
			if granted < want {
				f.count()
			}
		}
	}
	return granted
}

// give gives room back.
func (s *standing) give(file string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.all {
		if f.Fault.Kind == disk.Full && f.Fault.Reaches(disk.Write, file) {
			f.room += n
		}
	}
}

// left is the least room of all full disks for a file, and whether any is.
func (s *standing) left(file string) (room int64, limited bool) {
	if s.armed.Load() == 0 {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.all {
		if f.Fault.Kind == disk.Full && f.Fault.Reaches(disk.Write, file) && (!limited || f.room < room) {
			room, limited = f.room, true
		}
	}
	return room, limited
}
