package gossip

import (
	"sync"
	"time"

	"github.com/hashicorp/serf/serf"
)

// wake is a level-triggered signal: a channel that is closed at the next
// change, however many wait for it.
type wake struct {
	mu sync.Mutex
	ch chan struct{}
}

func (w *wake) wait() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ch
}

func (w *wake) all() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.ch)
	w.ch = make(chan struct{})
}

// Changed gives a channel that is closed once Members or Alarms may give
// something else than before. Take it before looking, so that nothing falls
// between. Changes that come close together wake once.
func (p *Pool) Changed() <-chan struct{} { return p.changed.wait() }

func (p *Pool) poke() {
	select {
	case p.poked <- struct{}{}:
	default: // one is due anyway
	}
}

// watch takes Serf's events as fast as they come, because a full channel
// stops Serf with its locks held. It believes nothing of what they say but
// that something changed.
func (p *Pool) watch() {
	defer p.loops.Done()
	var due <-chan time.Time
	lines := newAllowance(p.cfg.Clock)
	for {
		select {
		case e := <-p.events:
			p.note(e)
		case <-p.poked:
		case <-due:
			due = nil
			p.alarms.tell(p.cfg.Log, lines)
			p.changed.all()
			continue
		case <-p.life.Done():
			p.drain()
			return
		}
		if due == nil {
			due = p.cfg.Clock.After(p.cfg.Timing.Quiet)
		}
	}
}

// drain goes on until Serf is down, and leaves the channel empty: what Serf's
// own goroutine still has in hand then fits in.
func (p *Pool) drain() {
	for {
		select {
		case <-p.events:
			continue
		default:
		}
		select {
		case <-p.events:
		case <-p.serf.ShutdownCh():
			for len(p.events) > 0 {
				<-p.events
			}
			p.changed.all()
			return
		}
	}
}

// note keeps the roster: Serf drops members that are gone for long.
func (p *Pool) note(e serf.Event) {
	m, ok := e.(serf.MemberEvent)
	if !ok {
		return
	}
	for i := range m.Members {
		switch m.Type {
		case serf.EventMemberJoin:
			p.roster.add(m.Members[i].Name)
		case serf.EventMemberReap:
			p.roster.drop(m.Members[i].Name)
		}
	}
}
