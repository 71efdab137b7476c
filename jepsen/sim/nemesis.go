package sim

import (
	"time"

	"github.com/kvorum/kvorum/internal/assign"
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
		{"new term", w.opts.NewTerm, false, func() bool { w.log.newTerm(); return true }},
		{"restart", w.opts.Restart, false, func() bool { w.log.restartFront(); return true }},
		{"mishap", w.opts.Mishap, true, w.mishap},
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

// cutHost cuts a host off for a while, in one way or another.
func (w *world) cutHost() bool {
	h := w.someHost()
	if h.cut != whole {
		return false
	}
	h.cut = cut(1 + w.flt.IntN(3))
	w.film.line(h.name, "!", "cut off", "kind=%d", h.cut)
	w.in(w.flt.span(time.Second, 60*time.Second), func() { w.join(h) })
	return true
}

func (w *world) join(h *host) {
	if h.cut != whole {
		h.cut = whole
		w.film.line(h.name, "*", "joined", "")
	}
}

// mishap befalls a running guest without anybody's doing.
func (w *world) mishap() bool {
	h := w.someHost()
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
	kind := []string{"off by itself", "crashed", "paused", "deaf"}[w.flt.IntN(4)]
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
	}
	if w.log.vacant {
		w.log.begin(0)
	}
}
