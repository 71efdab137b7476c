package fakekernel

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"

	"github.com/kvorum/kvorum/netd"
)

// addVXLAN refuses a second link of one number at one port, as the kernel
// does whatever the links' names.
func (k *Kernel) addVXLAN(o netd.AddVXLAN) error {
	for _, l := range k.root.Links {
		if l.Kind == "vxlan" && l.VXLAN.Number == o.Number && l.VXLAN.Port == o.Port {
			return errExists
		}
	}
	return k.addLink("", o.Name, netd.Link{Kind: "vxlan", MTU: o.MTU, VXLAN: o.VXLAN})
}

// lead does the Ops that lead to other hosts.
func (k *Kernel) lead(op netd.Op) error {
	switch o := op.(type) {
	case netd.SetDirected:
		return k.alter("", o.Name, func(l *netd.Link) error {
			if l.Master == "" {
				return errors.New("operation not supported")
			}
			l.Directed = true
			return nil
		})
	case netd.SetHop:
		return k.hops(o.Link, func(l *netd.Link) { l.Hops[o.MAC] = netd.Hop{Via: o.Via, Bridged: true} })
	case netd.DelHop:
		return k.hops(o.Link, func(l *netd.Link) { delete(l.Hops, o.MAC) })
	case netd.SetNeighbour:
		return k.neighbours(o.Bridge, func(l *netd.Link) { l.Neighbours[o.Addr] = o.MAC })
	case netd.DelNeighbour:
		return k.neighbours(o.Bridge, func(l *netd.Link) { delete(l.Neighbours, o.Addr) })
	}
	return fmt.Errorf("a kind of Op that this kernel does not know: %T", op)
}

// hops changes a tunnel's: its bridge must be there to know of them.
func (k *Kernel) hops(link string, f func(*netd.Link)) error {
	return k.alter("", link, func(l *netd.Link) error {
		if l.Kind != "vxlan" || l.Master == "" {
			return errors.New("operation not supported")
		}
		if l.Hops = maps.Clone(l.Hops); l.Hops == nil {
			l.Hops = map[netd.MAC]netd.Hop{}
		}
		f(l)
		return nil
	})
}

func (k *Kernel) neighbours(bridge string, f func(*netd.Link)) error {
	return k.alter("", bridge, func(l *netd.Link) error {
		if l.Neighbours = maps.Clone(l.Neighbours); l.Neighbours == nil {
			l.Neighbours = map[netip.Addr]netd.MAC{}
		}
		f(l)
		return nil
	})
}

// unplug forgets what a bridge knew of a port that left it.
func unplug(l *netd.Link) {
	l.Directed = false
	hops := map[netd.MAC]netd.Hop{}
	for mac, h := range l.Hops {
		if h.Bridged = false; h.Via.IsValid() {
			hops[mac] = h
		}
	}
	l.Hops = hops
}

// setMAC makes a link forget whom it knew under its old address.
func setMAC(l *netd.Link, mac netd.MAC) error {
	if l.MAC != mac {
		l.Neighbours = nil
	}
	l.MAC = mac
	return nil
}
