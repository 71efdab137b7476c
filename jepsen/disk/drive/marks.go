package drive

import (
	"regexp"
	"sync"
)

const (
	// maxMarks bounds the marks of one write.
	maxMarks = 1024
	// maxKnown bounds the marks that are known to have been written before.
	maxKnown = 1 << 16
)

// marks finds marks in what is written, each the first time that a file gets
// it. Of the known ones there are two generations, so that forgetting is cheap.
type marks struct {
	pattern *regexp.Regexp // nil: none

	mu         sync.Mutex
	young, old map[known]bool
}

type known struct {
	file uint64
	mark string
}

func newMarks(pattern string) (*marks, error) {
	if pattern == "" {
		return &marks{}, nil
	}
	re, err := regexp.Compile(pattern)
	return &marks{pattern: re, young: map[known]bool{}}, err
}

func (m *marks) find(file uint64, data []byte) (fresh []string) {
	if m.pattern == nil {
		return nil
	}
	found := m.pattern.FindAll(data, maxMarks)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range found {
		k := known{file, string(b)}
		if m.young[k] || m.old[k] {
			continue
		}
		if len(m.young) >= maxKnown {
			m.young, m.old = map[known]bool{}, m.young
		}
		m.young[k] = true
		fresh = append(fresh, k.mark)
	}
	return fresh
}

// clear forgets all: after a loss what was written may have to be written anew.
func (m *marks) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.young, m.old = map[known]bool{}, nil
}
