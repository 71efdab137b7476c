package netd

import "net/netip"

// tunnel brings about a link to the other hosts, with its hops.
func (p *planner) tunnel(name string) {
	want := p.tunnels[name]
	have, ok := p.have.Root.Links[name]
	if ok && (have.Kind != want.Kind || have.VXLAN != want.VXLAN) {
		p.do(DelLink{Name: name, at: rankClear})
		ok = false
	}
	if !ok {
		p.do(AddVXLAN{Name: name, VXLAN: want.VXLAN, MTU: want.MTU})
		have = Link{Kind: want.Kind, VXLAN: want.VXLAN, MTU: want.MTU}
	}
	p.adjust("", name, have, want)
	p.quiet(name, ok)
	// What the bridge knows of its port goes when the port leaves.
	plugged := have.Master == want.Master && p.have.Root.Links[want.Master].Kind == "bridge"
	if !plugged || !have.Directed {
		p.do(SetDirected{Name: name})
	}
	p.hops(name, plugged, have.Hops, want.Hops)
}

func (p *planner) hops(link string, plugged bool, have, want map[MAC]Hop) {
	for _, mac := range sortedFunc(want, MAC.Compare) {
		is, ok := have[mac]
		is.Bridged = is.Bridged && plugged
		if !ok || is != want[mac] {
			p.do(SetHop{Link: link, MAC: mac, Via: want[mac].Via})
		}
	}
	for _, mac := range sortedFunc(have, MAC.Compare) {
		if _, ok := want[mac]; !ok {
			p.do(DelHop{Link: link, MAC: mac})
		}
	}
}

func (p *planner) neighbours(bridge string, have, want map[netip.Addr]MAC) {
	for _, a := range sortedFunc(want, netip.Addr.Compare) {
		if mac, ok := have[a]; !ok || mac != want[a] {
			p.do(SetNeighbour{Bridge: bridge, Addr: a, MAC: want[a]})
		}
	}
	for _, a := range sortedFunc(have, netip.Addr.Compare) {
		if _, ok := want[a]; !ok {
			p.do(DelNeighbour{Bridge: bridge, Addr: a})
		}
	}
}
