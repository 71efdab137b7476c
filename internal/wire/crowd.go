package wire

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// crowd counts who is connected and keeps the bounds.
type crowd struct {
	cfg Config

	mu        sync.Mutex
	perIP     map[netip.Addr]int
	all       map[*guest]struct{}
	strangers *list.List // of *guest, the oldest first
	closed    bool
	stats     Stats
}

// Stats say who is connected, and how many were turned away so far.
type Stats struct {
	// Members and Strangers are connections now.
	Members, Strangers int
	// Refused were over a bound, or for a protocol that nobody served; Pushed
	// were strangers that made room; Failed are handshakes that came to nothing.
	Refused, Pushed, Failed uint64
}

func newCrowd(cfg Config) *crowd {
	return &crowd{cfg: cfg, perIP: map[netip.Addr]int{}, all: map[*guest]struct{}{}, strangers: list.New()}
}

// guest is a TCP connection in the crowd; closing it leaves the crowd.
type guest struct {
	net.Conn
	crowd *crowd
	from  netip.Addr
	// place is among the strangers; nil for a member, and once it left.
	place *list.Element
	// gone is closed once it left.
	gone chan struct{}
}

// Origin is what a remote address, host:port, is counted by: its IP address, or
// the /64 of it, because whoever has one IPv6 address has them all. The zero
// Addr stands for what is no IP address.
func Origin(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	a := ap.Addr().Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// enter takes a new connection in, as a stranger, and pushes an older one aside
// where that makes the room; nil if there is none.
func (c *crowd) enter(raw net.Conn) *guest {
	from := Origin(raw.RemoteAddr().String())
	c.mu.Lock()
	defer c.mu.Unlock()
	if own, n := c.oldest(from); n >= c.cfg.strangersPerIP() {
		c.push(own)
	}
	if c.closed || c.perIP[from] >= c.cfg.MaxPerIP {
		c.stats.Refused++
		return nil
	}
	if c.strangers.Len() >= c.cfg.MaxStrangers {
		c.push(c.strangers.Front().Value.(*guest))
	}
	g := &guest{Conn: raw, crowd: c, from: from, gone: make(chan struct{})}
	g.place = c.strangers.PushBack(g)
	c.all[g] = struct{}{}
	c.perIP[from]++
	return g
}

// oldest gives an address's oldest stranger, and how many it has.
func (c *crowd) oldest(from netip.Addr) (first *guest, n int) {
	for e := c.strangers.Front(); e != nil; e = e.Next() {
		if g := e.Value.(*guest); g.from == from {
			if first == nil {
				first = g
			}
			n++
		}
	}
	return first, n
}

func (c *crowd) push(g *guest) {
	c.leave(g)
	g.Conn.Close() // what it says of a stranger's connection is no matter
	c.stats.Pushed++
}

// leave takes a connection out; it may have left already.
func (c *crowd) leave(g *guest) {
	if _, in := c.all[g]; !in {
		return
	}
	delete(c.all, g)
	if c.perIP[g.from]--; c.perIP[g.from] == 0 {
		delete(c.perIP, g.from)
	}
	if g.place != nil {
		c.strangers.Remove(g.place)
		g.place = nil
	} else {
		c.stats.Members--
	}
	close(g.gone)
}

// known makes a stranger a member; false if there are too many, or if it left.
func (c *crowd) known(g *guest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, in := c.all[g]; !in {
		return false
	}
	if c.stats.Members >= c.cfg.MaxMembers {
		c.stats.Refused++
		return false
	}
	c.strangers.Remove(g.place)
	g.place = nil
	c.stats.Members++
	return true
}

// count adds to a number of the statistics.
func (c *crowd) count(n *uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
}

func (c *crowd) now() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Strangers = c.strangers.Len()
	return s
}

// close ends all connections; nobody enters any more.
func (c *crowd) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for g := range c.all {
		c.leave(g)
		g.Conn.Close()
	}
}

// Close implements net.Conn.
func (g *guest) Close() error {
	g.crowd.mu.Lock()
	g.crowd.leave(g)
	g.crowd.mu.Unlock()
	return g.Conn.Close()
}
