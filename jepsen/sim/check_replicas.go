package sim

import (
	"github.com/kvorum/kvorum/fsm"
)

// agree is the checker "replicas agree": equal index, equal hash, whether a
// node came there by the log or by a snapshot.
func (w *world) agree(node string, m *fsm.Machine) {
	v := m.View()
	if v.Index == 0 || v.Index > uint64(len(w.log.hashes)) {
		w.violated("replicas agree", "%s is at index %d of %d", node, v.Index, len(w.log.hashes))
		return
	}
	w.counts.Compared++
	if want := w.log.hashes[v.Index-1]; v.Hash() != want {
		w.violated("replicas agree", "at index %d %s has hash %s and the log had %s", v.Index, node, v.Hash(), want)
	}
}

// replay applies the whole log to a new node at once: it must come out where
// the others are.
func (w *world) replay() {
	m := fsm.New(false)
	m.ApplyBatch(w.log.entries)
	w.agree("a replay", m)
}
