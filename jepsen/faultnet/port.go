package faultnet

import (
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxPacket is the longest IPv4 packet, in bytes.
const maxPacket = 1 << 16

// port is where a host is plugged in, under its name. It stays when the link
// goes, and with it the rules and the counters.
type port struct {
	name string
	// device is the link that is plugged in, nil if none is.
	device atomic.Pointer[device]
	// pulled says that the cable is out.
	pulled atomic.Bool
	// at and beyond are the addresses behind the port.
	at     netip.Addr
	beyond []netip.Prefix
}

var errNoLink = errors.New("there is no link")

// send gives a packet to the host.
func (p *port) send(b []byte) error {
	d := p.device.Load()
	if d == nil || p.pulled.Load() {
		return errNoLink
	}
	_, err := d.Write(b)
	return err
}

// routes say behind which port an address is. They do not change.
type routes struct {
	exact  map[netip.Addr]*port
	beyond []beyond
}

type beyond struct {
	network netip.Prefix
	port    *port
}

func newRoutes(ports map[string]*port) *routes {
	r := &routes{exact: map[netip.Addr]*port{}}
	for _, p := range ports {
		if p.device.Load() == nil {
			continue
		}
		r.exact[p.at] = p
		for _, n := range p.beyond {
			r.beyond = append(r.beyond, beyond{n, p})
		}
	}
	slices.SortFunc(r.beyond, func(a, b beyond) int { return b.network.Bits() - a.network.Bits() })
	return r
}

// find gives the port of an address, nil if there is none.
func (r *routes) find(a netip.Addr) *port {
	if p := r.exact[a]; p != nil {
		return p
	}
	if a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return nil
	}
	for _, b := range r.beyond {
		if b.network.Contains(a) {
			return b.port
		}
	}
	return nil
}

// newPort checks what Plug was told.
func newPort(name, link string, at netip.Prefix, networks []netip.Prefix) (*port, error) {
	const op = "faultnet.plug"
	if name == "" || len(name) > maxName || link == "" {
		return nil, errs.Errorf(op, errs.Invalid, "%q is no name for a port, or its link has none", name)
	}
	for _, n := range append(slices.Clone(networks), at) {
		if !n.IsValid() || !n.Addr().Is4() {
			return nil, errs.Errorf(op, errs.Invalid, "%v is no IPv4 address or network", n)
		}
	}
	return &port{name: name, at: at.Addr(), beyond: networks}, nil
}
