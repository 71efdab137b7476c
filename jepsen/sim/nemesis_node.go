package sim

import "time"

func (w *world) someNode() *node { return w.nodes[w.flt.IntN(len(w.nodes))] }

// victim is a control node to do harm to: the leader more often than any other.
func (w *world) victim() *node {
	if w.log.leader != nil && w.flt.IntN(3) == 0 {
		return w.log.leader
	}
	return w.someNode()
}

// newTerm moves the lead, which the former leader may not notice for a while.
func (w *world) newTerm() bool {
	w.log.lose(w.flt.IntN(2) == 0)
	return true
}

// restart ends a control node and starts it again a while later.
func (w *world) restart() bool {
	n := w.victim()
	if second := w.second(); second != nil && w.flt.IntN(2) == 0 {
		n = second
	}
	if n.dark {
		return false
	}
	n.stop()
	w.in(w.flt.span(100*time.Millisecond, 10*time.Second), n.start)
	return true
}

// second is a node that does not lead and that a host leans on which is cut off
// from another one: harm to it adds to the first. nil if there is none.
func (w *world) second() *node {
	for _, h := range w.hosts {
		if len(h.cuts) == 0 || len(h.cuts) == len(w.nodes) {
			continue
		}
		for _, n := range w.nodes {
			if h.cuts[n.name] == whole && n != w.log.leader {
				return n
			}
		}
	}
	return nil
}

// pause makes a control node stand still for a while.
func (w *world) pause() bool {
	n := w.victim()
	if n.dark || n.paused {
		return false
	}
	n.pause()
	n.after(w.flt.span(time.Millisecond, 30*time.Second), n.resume)
	return true
}

// isolate cuts a control node off from the others for a while.
func (w *world) isolate() bool {
	n := w.victim()
	if n.dark || n.isolated {
		return false
	}
	n.isolate()
	w.in(w.flt.span(time.Second, 40*time.Second), n.rejoin)
	return true
}

// after ends something in the node's present life, paused or not.
func (n *node) after(d time.Duration, do func()) {
	life := n.life
	n.w.in(d, func() {
		if n.life == life {
			do()
		}
	})
}
