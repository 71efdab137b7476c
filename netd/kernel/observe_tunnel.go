package kernel

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/netd"
)

// far adds to the links of the root namespace what leads to other hosts:
// hops and port settings of tunnels, neighbours of bridges.
func (k *Kernel) far(links map[string]netd.Link, names map[int]string) error {
	ports, err := directedPorts()
	if err != nil {
		return err
	}
	hops, err := steady(func() ([]netlink.Neigh, error) { return netlink.NeighList(0, unix.AF_BRIDGE) })
	if err != nil {
		return err
	}
	neighbours, err := steady(func() ([]netlink.Neigh, error) { return netlink.NeighList(0, unix.AF_INET) })
	if err != nil {
		return err
	}
	for index, name := range names {
		if l, ok := links[name]; ok && k.names.Owns(name, "v") {
			l.Directed = ports[index]
			links[name] = l
		}
	}
	for _, n := range hops {
		addHop(links, names[n.LinkIndex], n)
	}
	for _, n := range neighbours {
		l, ok := links[names[n.LinkIndex]]
		a, valid := netip.AddrFromSlice(n.IP)
		if !ok || !valid || l.Kind != "bridge" || n.State&unix.NUD_PERMANENT == 0 {
			continue
		}
		if l.Neighbours == nil {
			l.Neighbours = map[netip.Addr]netd.MAC{}
		}
		l.Neighbours[a.Unmap()] = toMAC(n.HardwareAddr)
		links[names[n.LinkIndex]] = l
	}
	return nil
}

// addHop notes one entry of a tunnel's link: its own, or one of its bridge's
// that leads to it. The link's own address in the bridge is permanent.
func addHop(links map[string]netd.Link, name string, n netlink.Neigh) {
	l, ok := links[name]
	if !ok || l.Kind != "vxlan" || n.State&unix.NUD_PERMANENT != 0 && n.Flags&unix.NTF_SELF == 0 {
		return
	}
	if l.Hops == nil {
		l.Hops = map[netd.MAC]netd.Hop{}
	}
	mac := toMAC(n.HardwareAddr)
	h := l.Hops[mac]
	if n.Flags&unix.NTF_SELF != 0 {
		via, _ := netip.AddrFromSlice(n.IP)
		h.Via = via.Unmap()
	} else {
		// What the bridge learned will be forgotten.
		h.Bridged = n.State&unix.NUD_NOARP != 0
	}
	l.Hops[mac] = h
	links[name] = l
}

func toMAC(b []byte) netd.MAC {
	if len(b) != len(netd.MAC{}) {
		return netd.MAC{}
	}
	return netd.MAC(b)
}

func toVXLAN(l netlink.Link) netd.VXLAN {
	v, ok := l.(*netlink.Vxlan)
	if !ok {
		return netd.VXLAN{}
	}
	local, _ := netip.AddrFromSlice(v.SrcAddr)
	return netd.VXLAN{Number: uint32(v.VxlanId), Local: local.Unmap(), Port: uint16(v.Port), Learning: v.Learning}
}

// directedPorts tells of all ports of bridges, by index, whether they are set
// as netd.SetDirected does.
func directedPorts() (map[int]bool, error) {
	msgs, err := steady(func() ([][]byte, error) {
		req := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
		req.AddData(nl.NewIfInfomsg(unix.AF_BRIDGE))
		return req.Execute(unix.NETLINK_ROUTE, 0)
	})
	if err != nil {
		return nil, err
	}
	out := map[int]bool{}
	for _, m := range msgs {
		if len(m) < unix.SizeofIfInfomsg {
			return nil, errors.New("a link's message is too short")
		}
		head := nl.DeserializeIfInfomsg(m)
		attrs, err := nl.ParseRouteAttr(m[head.Len():])
		if err != nil {
			return nil, err
		}
		for _, a := range attrs {
			if a.Attr.Type&nl.NLA_TYPE_MASK != unix.IFLA_PROTINFO {
				continue
			}
			set, err := nl.ParseRouteAttr(a.Value)
			if err != nil {
				return nil, err
			}
			out[int(head.Index)] = isDirected(set)
		}
	}
	return out, nil
}

// isDirected wants every setting to be there and so: a kernel that has no
// such setting does not have it set.
func isDirected(set []syscall.NetlinkRouteAttr) bool {
	found := 0
	for _, a := range set {
		for _, s := range directed {
			if int(a.Attr.Type) == s.attr && len(a.Value) == 1 && a.Value[0] == s.want {
				found++
			}
		}
	}
	return found == len(directed)
}
