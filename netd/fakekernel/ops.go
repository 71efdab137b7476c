package fakekernel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kvorum/kvorum/netd"
)

var (
	errNoSpace = errors.New("no such namespace")
	errNoLink  = errors.New("no such device")
	errExists  = errors.New("file exists")
)

func (k *Kernel) addSpace(name string) error {
	if s := k.spaces[name]; s != nil {
		if s.Broken {
			return errExists
		}
		return nil
	}
	k.spaces[name] = newSpace()
	return nil
}

func (k *Kernel) delSpace(name string) {
	s := k.spaces[name]
	if s == nil {
		return
	}
	for link := range s.Links {
		k.delLink(end{name, link})
	}
	delete(k.spaces, name)
}

func (k *Kernel) addLink(in, name string, l netd.Link) error {
	s := k.at(in)
	switch {
	case s == nil:
		return errNoSpace
	case len(name) > 15 || name == "":
		return errors.New("invalid name")
	case s.Links[name].MTU != 0:
		return errExists
	}
	s.Links[name] = l
	return nil
}

func (k *Kernel) addVeth(o netd.AddVeth) error {
	s := k.at(o.Space)
	if s == nil {
		return errNoSpace
	}
	if s.Links[o.Peer].MTU != 0 {
		return errExists
	}
	if err := k.addLink("", o.Name, netd.Link{Kind: "veth", MTU: o.MTU}); err != nil {
		return err
	}
	mac := o.PeerMAC
	if mac == (netd.MAC{}) {
		mac = netd.MAC{2, 0, 0, 0, 0, 1}
	}
	a, b := end{"", o.Name}, end{o.Space, o.Peer}
	k.peers[a], k.peers[b] = b, a
	return k.addLink(o.Space, o.Peer, netd.Link{Kind: "veth", MTU: o.MTU, MAC: mac})
}

func (k *Kernel) delLink(e end) {
	s := k.at(e.space)
	if s == nil {
		return
	}
	if _, ok := s.Links[e.link]; !ok || e.link == "lo" {
		return
	}
	delete(s.Links, e.link)
	delete(s.Sysctls, "net.ipv6.conf."+e.link+".disable_ipv6")
	s.reroute()
	for name, l := range s.Links {
		if l.Master == e.link {
			l.Master = ""
			unplug(&l)
			s.Links[name] = l
		}
	}
	if peer, ok := k.peers[e]; ok {
		delete(k.peers, e)
		delete(k.peers, peer)
		k.delLink(peer)
	}
}

// reroute drops the routes whose next hop can't be reached any more.
func (s *space) reroute() {
	s.Routes = slices.DeleteFunc(s.Routes, func(r netd.Route) bool { return r.Via.IsValid() && !s.reaches(r) })
}

func (s *space) reaches(r netd.Route) bool {
	for _, l := range s.Links {
		for _, a := range l.Addrs {
			if l.Up && a.Contains(r.Via) && a.Addr() != r.Via {
				return true
			}
		}
	}
	return false
}

func (k *Kernel) alter(in, name string, f func(*netd.Link) error) error {
	s := k.at(in)
	if s == nil {
		return errNoSpace
	}
	l, ok := s.Links[name]
	if !ok {
		return errNoLink
	}
	if err := f(&l); err != nil {
		return err
	}
	s.Links[name] = l
	s.reroute()
	return nil
}

func (k *Kernel) sysctl(o netd.SetSysctl) error {
	s := k.at(o.Space)
	if s == nil {
		return errNoSpace
	}
	if _, ok := s.Links[o.Link]; o.Link != "" && !ok {
		return errNoLink
	}
	s.Sysctls[o.Key] = o.Value
	return nil
}

func (k *Kernel) route(o netd.SetRoute) error {
	s := k.at(o.Space)
	if s == nil {
		return errNoSpace
	}
	if !s.reaches(o.Route) {
		return errors.New("network is unreachable")
	}
	s.Routes = slices.DeleteFunc(s.Routes, func(r netd.Route) bool { return r.Dst == o.Route.Dst })
	s.Routes = append(s.Routes, o.Route)
	return nil
}

// table refills a table in place, or anew. In place, nft refuses to change a
// set's type or a chain's hook, and leaves what it is not told of.
func (k *Kernel) table(o netd.ApplyTable) error {
	s := k.at(o.Space)
	if s == nil {
		return errNoSpace
	}
	t := o.Table
	have, ok := s.Tables[t.Key()]
	if !ok || o.Rebuild {
		s.Tables[t.Key()] = t
		return nil
	}
	for _, h := range have.Sets {
		i := slices.IndexFunc(t.Sets, func(s netd.Set) bool { return s.Name == h.Name })
		if i < 0 {
			t.Sets = append(slices.Clone(t.Sets), h)
		} else if t.Sets[i].Type != h.Type || t.Sets[i].Value != h.Value || t.Sets[i].Interval != h.Interval {
			return fmt.Errorf("set %s: %w", h.Name, errExists)
		}
	}
	for _, h := range have.Chains {
		i := slices.IndexFunc(t.Chains, func(c netd.Chain) bool { return c.Name == h.Name })
		if i < 0 {
			t.Chains = append(slices.Clone(t.Chains), h)
		} else if t.Chains[i].Head != h.Head {
			return fmt.Errorf("chain %s: %w", h.Name, errExists)
		}
	}
	for _, h := range have.Counters {
		if !slices.Contains(t.Counters, h) {
			t.Counters = append(slices.Clone(t.Counters), h)
		}
	}
	s.Tables[t.Key()] = t
	return nil
}
