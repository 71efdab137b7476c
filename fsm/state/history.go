package state

import "sync"

// HistorySize is how many indexes back the state's hash is remembered.
const HistorySize = 4096

// history is a ring of the hashes of the last indexes.
type history struct {
	mu   sync.Mutex
	ring [HistorySize]struct {
		index uint64
		sum   Sum
	}
}

func newHistory() *history { return &history{} }

func (h *history) note(index uint64, sum Sum) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slot := &h.ring[index%HistorySize]
	slot.index, slot.sum = index, sum
}

func (h *history) at(index uint64) (Sum, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slot := h.ring[index%HistorySize]
	return slot.sum, slot.index == index && index != 0
}
