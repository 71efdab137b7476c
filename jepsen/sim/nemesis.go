package sim

import (
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

// nemesis starts every kind of fault that a run has a span for.
func (w *world) nemesis() {
	for _, k := range []struct {
		name      string
		mean      time.Duration
		needsHost bool
		do        func() bool
	}{
		{"agent crash", w.opts.AgentCrash, true, w.crashAgent},
		{"power loss", w.opts.PowerLoss, true, w.losePower},
		{"cut off", w.opts.Cut, true, w.cutHost},
		{"new term", w.opts.NewTerm, false, w.newTerm},
		{"restart", w.opts.Restart, false, w.restart},
		{"mishap", w.opts.Mishap, true, w.mishap},
		{"pause", w.opts.Pause, false, w.pause},
		{"isolate", w.opts.Isolate, false, w.isolate},
		{"freeze", w.opts.Freeze, true, w.freeze},
		{"jump", w.opts.Jump, false, w.jump},
	} {
		if k.mean > 0 && (len(w.hosts) > 0 || !k.needsHost) {
			w.again(k.name, k.mean, k.do)
		}
	}
}

// again lets a fault happen at random times until all is healed.
func (w *world) again(name string, mean time.Duration, do func() bool) {
	w.in(w.flt.span(mean/4, mean*7/4), func() {
		if w.healed {
			return
		}
		w.fault(name, do())
		w.again(name, mean, do)
	})
}

func (w *world) someHost() *host { return w.hosts[w.flt.IntN(len(w.hosts))] }

func (w *world) crashAgent() bool {
	h := w.someHost()
	if h.agent == nil {
		return false
	}
	h.stop("killed")
	return true
}

func (w *world) losePower() bool {
	h := w.someHost()
	if h.dark {
		return false
	}
	h.blackout()
	return true
}

// cutHost cuts a host off for a while, in one way or another, from all nodes or
// from some.
func (w *world) cutHost() bool {
	h := w.someHost()
	if len(h.cuts) > 0 {
		return false
	}
	kind, from := []cut{cutOff, cutOff, deaf, flaky}[w.flt.IntN(4)], w.nodes
	switch w.flt.IntN(4) {
	case 0:
		from = []*node{w.victim()}
	case 1: // all of them
	default:
		from = nil
		for _, i := range w.flt.Perm(len(w.nodes))[:1+w.flt.IntN(len(w.nodes))] {
			from = append(from, w.nodes[i])
		}
	}
	for _, n := range from {
		h.cuts[n.name] = kind
	}
	w.film.line(h.name, "!", "cut off", "kind=%d from %v", kind, sortedKeys(h.cuts))
	w.in(w.flt.span(time.Second, 60*time.Second), func() { w.join(h) })
	return true
}

func (w *world) join(h *host) {
	if len(h.cuts) > 0 {
		clear(h.cuts)
		w.film.line(h.name, "*", "joined", "")
	}
}

func (w *world) freeze() bool {
	h := w.someHost()
	if h.agent == nil || h.frozen {
		return false
	}
	h.freezeFor(w.flt.span(time.Second, 45*time.Second))
	return true
}

// jump lets somebody's time of day jump: a host's by minutes, a control node's by
// as much as a watched clock may be off.
func (w *world) jump() bool {
	if len(w.hosts) > 0 && w.flt.IntN(2) == 0 {
		h := w.someHost()
		h.clock.wall = w.flt.span(-10*time.Minute, 10*time.Minute)
		w.film.line(h.name, "!", "time of day", "off by %s", h.clock.wall)
		return true
	}
	n := w.someNode()
	n.clock.wall = w.flt.span(-2*time.Second, 2*time.Second)
	w.film.line(n.name, "!", "time of day", "off by %s", n.clock.wall)
	return true
}

// mishap befalls a running guest without anybody's doing.
func (w *world) mishap() bool {
	h, kinds := w.someHost(), []string{"off by itself", "crashed", "paused", "deaf"}
	for _, dead := range w.hosts {
		// Most is to be learned from what a host does that is called dead.
		if record := w.view().Host(model.HostID(dead.id)); record != nil && record.Down && dead.agent != nil && w.flt.IntN(2) == 0 {
			h, kinds = dead, []string{"crashed"}
		}
	}
	var ids []string
	for _, id := range sortedKeys(h.seen) {
		if h.seen[id].State == assign.Running {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return false
	}
	id := ids[w.flt.IntN(len(ids))]
	kind := kinds[w.flt.IntN(len(kinds))]
	switch kind {
	case "off by itself":
		h.driver.StopSelf(id)
		w.settled.stoppedItself[id] = true
	case "crashed":
		h.driver.CrashGuest(id)
	case "paused":
		h.driver.Pause(id)
	case "deaf":
		h.driver.SetDeaf(id, true)
	}
	w.film.line(h.name, "!", "mishap", "%s %s", w.film.name("s", id), kind)
	h.observe()
	return true
}

// heal ends every fault, and lets nobody wish for anything new.
func (w *world) heal() {
	w.healed = true
	w.film.line("", "*", "healed", "")
	for _, h := range w.hosts {
		w.join(h)
		h.thaw()
	}
	for _, n := range w.nodes {
		n.resume()
		n.rejoin()
		n.start()
	}
	w.log.elect()
}
