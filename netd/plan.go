package netd

import (
	"net/netip"
	"slices"
	"strings"
)

// Plan gives the Ops that turn have into want, in the order in which they
// must be done. It is empty when nothing is left to do. What Sound leaves out
// of want is not wanted. If an Op fails, the rest of the plan is void: observe
// and plan again.
func Plan(want Config, have Have) []Op {
	c, _ := Sound(want)
	if !Names(c.Prefix).valid() {
		return nil
	}
	p := &planner{wanted: work(c), have: have}
	if len(p.tables) == 0 && p.anyTap() {
		// A guest's link is still there: it must stay shut.
		p.tables = []Table{guestFilter(c), hostFilter(c)}
	}
	p.rootTables()
	for _, name := range sortedKeys(p.wanted.spaces) {
		p.space(name)
	}
	for _, name := range sortedKeys(p.bridges) {
		p.bridge(name)
	}
	for _, outer := range sortedKeys(p.pairs) {
		p.pair(outer)
	}
	for _, name := range sortedKeys(p.tunnels) {
		p.tunnel(name)
	}
	for _, name := range sortedKeys(p.taps) {
		// A tap is made by who starts the guest; it may be there or not yet.
		if l, ok := have.Root.Links[name]; ok {
			p.adjust("", name, l, p.taps[name])
		}
	}
	p.stale()
	slices.SortStableFunc(p.ops, func(a, b Op) int { return int(a.rank() - b.rank()) })
	return p.ops
}

type planner struct {
	wanted
	have Have
	ops  []Op
}

func (p *planner) do(op Op) { p.ops = append(p.ops, op) }

func (p *planner) anyTap() bool {
	return slices.ContainsFunc(sortedKeys(p.have.Root.Links), p.names.OwnsTap)
}

// in gives what is in a namespace, nothing when it is not there.
func (p *planner) in(name string) (Space, bool) {
	if name == "" {
		return p.have.Root, true
	}
	s, ok := p.have.Spaces[name]
	if !ok || s.Broken {
		return Space{}, false
	}
	return s, true
}

func (p *planner) rootTables() {
	for _, t := range p.tables {
		p.table("", t)
	}
	if len(p.tables) > 0 {
		p.sysctls("", "", rootSysctls)
		return
	}
	for _, family := range []string{"bridge", "ip"} {
		if _, ok := p.have.Root.Tables[family+" "+p.names.Table()]; ok {
			p.do(DelTable{Family: family, Name: p.names.Table()})
		}
	}
}

func (p *planner) table(space string, want Table) {
	s, _ := p.in(space)
	have, ok := s.Tables[want.Key()]
	if !ok || !want.Same(have) {
		p.do(ApplyTable{Space: space, Table: want, Rebuild: ok && want.rebuild(have)})
	}
}

func (p *planner) sysctls(space, link string, want []Sysctl) {
	s, _ := p.in(space)
	for _, w := range want {
		if s.Sysctls[w.Key] != w.Value {
			p.do(SetSysctl{Space: space, Sysctl: w, Link: link})
		}
	}
}

func (p *planner) space(name string) {
	w := p.wanted.spaces[name]
	have, ok := p.in(name)
	if !ok {
		if _, broken := p.have.Spaces[name]; broken {
			p.do(DelSpace{Name: name, Broken: true})
		}
		p.do(AddSpace{Name: name})
	}
	p.sysctls(name, "", w.sysctls)
	p.table(name, w.table)
	lo := have.Links["lo"]
	p.addrs(name, "lo", lo.Addrs, w.lo)
	if !lo.Up {
		p.do(SetUp{Space: name, Name: "lo"})
	}
	remade := p.remade(name) // a route goes with its link
	for _, r := range w.routes {
		if remade || !slices.Contains(have.Routes, r) {
			p.do(SetRoute{Space: name, Route: r})
		}
	}
	for _, r := range have.Routes {
		replaced := func(w Route) bool { return w.Dst == r.Dst }
		if !slices.ContainsFunc(w.routes, replaced) {
			p.do(DelRoute{Space: name, Route: r})
		}
	}
}

// remade tells whether some link of the namespace will be made anew.
func (p *planner) remade(name string) bool {
	// any order: one that is found is enough
	for outer, w := range p.pairs {
		if w.space == name && !p.whole(outer) {
			return true
		}
	}
	return false
}

func (p *planner) bridge(name string) {
	have, ok := p.have.Root.Links[name]
	if ok && have.Kind != "bridge" {
		p.do(DelLink{Name: name, at: rankClear})
		ok = false
	}
	want := p.bridges[name]
	if !ok {
		p.do(AddBridge{Name: name, MAC: want.MAC, MTU: want.MTU})
		have = Link{Kind: "bridge", MAC: want.MAC, MTU: want.MTU}
	}
	if have.MAC != want.MAC {
		have.Neighbours = nil // the kernel forgets them with the old address
	}
	p.adjust("", name, have, want)
	p.quiet(name, ok)
	p.neighbours(name, have.Neighbours, want.Neighbours)
}

// quiet keeps a link of the root namespace without IPv6 addresses.
func (p *planner) quiet(name string, there bool) {
	s := noIPv6(name)
	if !there || p.have.Root.Sysctls[s.Key] != s.Value {
		p.do(SetSysctl{Sysctl: s, Link: name})
	}
}

// whole tells whether both ends of a pair are there.
func (p *planner) whole(outer string) bool {
	w := p.pairs[outer]
	s, _ := p.in(w.space)
	return p.have.Root.Links[outer].Kind == "veth" && s.Links[w.innerName].Kind == "veth"
}

func (p *planner) pair(outer string) {
	w := p.pairs[outer]
	s, _ := p.in(w.space)
	haveOuter, okOuter := p.have.Root.Links[outer]
	haveInner, okInner := s.Links[w.innerName]
	whole := p.whole(outer)
	if !whole {
		if okOuter {
			p.do(DelLink{Name: outer, at: rankClear})
		}
		if okInner {
			p.do(DelLink{Space: w.space, Name: w.innerName, at: rankClear})
		}
		p.do(AddVeth{Name: outer, Peer: w.innerName, Space: w.space, MTU: w.inner.MTU, PeerMAC: w.inner.MAC})
		haveOuter = Link{Kind: "veth", MTU: w.outer.MTU}
		haveInner = Link{Kind: "veth", MTU: w.inner.MTU, MAC: w.inner.MAC}
	}
	p.adjust("", outer, haveOuter, w.outer)
	p.quiet(outer, whole)
	p.adjust(w.space, w.innerName, haveInner, w.inner)
}

// adjust mends a link in place.
func (p *planner) adjust(space, name string, have, want Link) {
	if have.MTU != want.MTU {
		p.do(SetMTU{Space: space, Name: name, MTU: want.MTU})
	}
	if want.MAC != (MAC{}) && have.MAC != want.MAC {
		p.do(SetMAC{Space: space, Name: name, MAC: want.MAC})
	}
	if have.Master != "" && p.have.Root.Links[have.Master].Kind != "bridge" {
		have.Master = "" // that master is in the way and goes
	}
	if space == "" && have.Master != want.Master {
		p.do(SetMaster{Name: name, Master: want.Master})
	}
	p.addrs(space, name, have.Addrs, want.Addrs)
	if !have.Up {
		p.do(SetUp{Space: space, Name: name})
	}
}

func (p *planner) addrs(space, link string, have, want []netip.Prefix) {
	for _, a := range want {
		if !slices.Contains(have, a) {
			p.do(AddAddr{Space: space, Link: link, Addr: a})
		}
	}
	for _, a := range have {
		if !slices.Contains(want, a) {
			p.do(DelAddr{Space: space, Link: link, Addr: a})
		}
	}
}

// stale removes what is ours and not wanted. Guests' taps are not ours to
// remove: who starts and stops guests does; behind the filter they are mute.
func (p *planner) stale() {
	for _, name := range sortedKeys(p.have.Root.Links) {
		switch {
		case p.names.Owns(name, "gu") && p.pairs[name].space == "":
			p.do(DelLink{Name: name, at: rankDelVeth})
		case p.names.Owns(name, "v") && p.tunnels[name].Kind == "":
			// Its number and port may be in another's way.
			p.do(DelLink{Name: name, at: rankClear})
		case p.names.Owns(name, "b") && p.bridges[name].Kind == "":
			p.do(DelLink{Name: name, at: rankDelBridge})
		}
	}
	for _, name := range sortedKeys(p.have.Spaces) {
		if !p.names.OwnsSpace(name) {
			continue
		}
		if _, ok := p.wanted.spaces[name]; !ok {
			p.do(DelSpace{Name: name})
			continue
		}
		p.staleInner(name)
	}
}

// staleInner removes ends in a wanted namespace whose other end does not go
// anyway.
func (p *planner) staleInner(space string) {
	s, _ := p.in(space)
	for _, name := range sortedKeys(s.Links) {
		if !p.names.Owns(name, "ix") {
			continue
		}
		role, rest := name[len(p.names)], name[len(p.names)+1:]
		outer := string(p.names) + strings.NewReplacer("i", "g", "x", "u").Replace(string(role)) + rest
		w, wanted := p.pairs[outer]
		_, there := p.have.Root.Links[outer]
		if (!wanted || w.space != space) && (wanted || !there) {
			p.do(DelLink{Space: space, Name: name, at: rankDelVeth})
		}
	}
}
