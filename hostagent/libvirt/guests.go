package libvirt

import "sync"

// guests remembers by id which guests are ours, so that the event loop need
// not ask, and which are being changed. It is bounded by the domains there are
// and by the calls under way.
type guests struct {
	mu   sync.Mutex
	ours map[string]bool
	held map[string]bool
}

func newGuests() *guests {
	return &guests{ours: map[string]bool{}, held: map[string]bool{}}
}

func (g *guests) known(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ours[id]
}

func (g *guests) learn(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ours[id] = true
}

func (g *guests) forget(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.ours, id)
}

// hold takes a guest for one change; false when it is taken.
func (g *guests) hold(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held[id] {
		return false
	}
	g.held[id] = true
	return true
}

func (g *guests) release(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.held, id)
}
