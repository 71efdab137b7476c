package kernel

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/netd"
)

// MTU is that of the link in the root namespace that holds an IPv4 address,
// in bytes; 0 when that is the loopback link, which says nothing of the way
// out. Kind NotFound means that no link holds it.
func (k *Kernel) MTU(addr netip.Addr) (int, error) {
	const op = "kernel.mtu"
	mtu := 0
	err := k.Enter("", func() error {
		all, err := steady(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_V4) })
		if err != nil {
			return errs.E(op, errs.Internal, "", err)
		}
		for _, a := range all {
			if p, ok := toPrefix(a.IPNet); !ok || p.Addr() != addr {
				continue
			}
			l, err := netlink.LinkByIndex(a.LinkIndex)
			if err != nil {
				return errs.E(op, errs.Internal, "", err)
			}
			if l.Attrs().Flags&unix.IFF_LOOPBACK == 0 {
				mtu = l.Attrs().MTU
			}
			return nil
		}
		return errs.Errorf(op, errs.NotFound, "no link of this host has the address %v", addr)
	})
	return mtu, err
}

func addVXLAN(o netd.AddVXLAN) error {
	a := netlink.NewLinkAttrs()
	a.Name, a.MTU = o.Name, o.MTU
	return netlink.LinkAdd(&netlink.Vxlan{LinkAttrs: a, VxlanId: int(o.Number), SrcAddr: o.Local.AsSlice(),
		Port: int(o.Port), Learning: o.Learning})
}

// directed are a bridge port's settings for netd.SetDirected.
var directed = []struct {
	attr int
	want byte
}{
	{nl.IFLA_BRPORT_LEARNING, 0},
	{nl.IFLA_BRPORT_UNICAST_FLOOD, 0},
	{nl.IFLA_BRPORT_MCAST_FLOOD, 0},
	{nl.IFLA_BRPORT_BCAST_FLOOD, 0},
	{nl.IFLA_BRPORT_NEIGH_SUPPRESS, 1},
}

// setDirected changes all settings in one message.
func setDirected(l netlink.Link) error {
	req := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_BRIDGE)
	msg.Index = int32(l.Attrs().Index)
	req.AddData(msg)
	port := nl.NewRtAttr(unix.IFLA_PROTINFO|unix.NLA_F_NESTED, nil)
	for _, s := range directed {
		port.AddRtAttr(s.attr, []byte{s.want})
	}
	req.AddData(port)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// setHop makes the tunnel's entry and its bridge's in one message.
func setHop(l netlink.Link, o netd.SetHop) error {
	return netlink.NeighSet(&netlink.Neigh{LinkIndex: l.Attrs().Index, Family: unix.AF_BRIDGE,
		Flags: unix.NTF_SELF | unix.NTF_MASTER, State: unix.NUD_NOARP | unix.NUD_REACHABLE,
		HardwareAddr: o.MAC[:], IP: o.Via.AsSlice()})
}

// delHop removes one after the other: either may be missing.
func delHop(l netlink.Link, o netd.DelHop) error {
	if l.Attrs().MasterIndex != 0 {
		if err := gone(delEntry(l, o.MAC, unix.NTF_MASTER)); err != nil {
			return err
		}
	}
	return gone(delEntry(l, o.MAC, unix.NTF_SELF))
}

// delEntry names no other end of the tunnel, so that all ends go.
func delEntry(l netlink.Link, mac netd.MAC, flags uint8) error {
	req := nl.NewNetlinkRequest(unix.RTM_DELNEIGH, unix.NLM_F_ACK)
	req.AddData(&netlink.Ndmsg{Family: unix.AF_BRIDGE, Index: uint32(l.Attrs().Index), Flags: flags})
	req.AddData(nl.NewRtAttr(unix.NDA_LLADDR, mac[:]))
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

func neighbour(l netlink.Link, addr netip.Addr, mac netd.MAC) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: l.Attrs().Index, Family: unix.AF_INET, State: unix.NUD_PERMANENT,
		IP: addr.AsSlice(), HardwareAddr: mac[:]}
}
