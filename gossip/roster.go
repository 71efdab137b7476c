package gossip

import "sync"

// roster is the set of the members' names, to bound it and to tell members
// from strangers where Serf's own list can't be asked because its locks are
// held.
type roster struct {
	max   int
	mu    sync.Mutex
	names map[string]struct{}
}

func newRoster(limit int) *roster { return &roster{max: limit, names: map[string]struct{}{}} }

func (r *roster) has(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.names[name]
	return ok
}

// room tells whether name is on it or may still come.
func (r *roster) room(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.names[name]
	return ok || len(r.names) < r.max
}

func (r *roster) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[name] = struct{}{}
}

func (r *roster) drop(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.names, name)
}
