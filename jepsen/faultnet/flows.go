package faultnet

import (
	"net/netip"
	"sync"
)

// maxFlows bounds the TLS connections that are remembered; the oldest go.
const maxFlows = 1 << 16

// flows remember for which protocol each TLS connection was opened.
type flows struct {
	mu    sync.RWMutex
	known map[flow]string
	// order is a ring of the flows in known, by age.
	order []flow
	next  int
}

// flow is a connection of TCP, the same in both directions.
type flow struct{ low, high netip.AddrPort }

func flowOf(p *packet) flow {
	a, b := netip.AddrPortFrom(p.src, p.srcPort), netip.AddrPortFrom(p.dst, p.dstPort)
	if b.Compare(a) < 0 {
		a, b = b, a
	}
	return flow{a, b}
}

// watch looks whether a packet opens a TLS connection.
func (f *flows) watch(p *packet, b []byte) {
	if p.number != numberTCP || p.body >= p.size {
		return
	}
	name := helloALPN(b[p.body:p.size])
	if name == "" {
		return
	}
	key := flowOf(p)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		f.known = map[flow]string{}
	}
	if _, again := f.known[key]; !again {
		if len(f.order) < maxFlows {
			f.order = append(f.order, key)
		} else {
			delete(f.known, f.order[f.next])
			f.order[f.next] = key
			f.next = (f.next + 1) % maxFlows
		}
	}
	f.known[key] = name
}

// alpn is the protocol of the packet's connection, "" if it is not known.
func (f *flows) alpn(p *packet) string {
	if p.number != numberTCP {
		return ""
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.known[flowOf(p)]
}
