package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/netd"
)

// Do implements netd.Kernel.
func (k *Kernel) Do(ctx context.Context, op netd.Op) error {
	if err := k.do(ctx, op); err != nil {
		return errs.E("kernel.do", errs.Internal, "", err)
	}
	return nil
}

func (k *Kernel) do(ctx context.Context, op netd.Op) error {
	switch o := op.(type) {
	case netd.AddSpace:
		return addSpace(o.Name)
	case netd.DelSpace:
		return delSpace(o.Name)
	case netd.ApplyTable:
		return k.Enter(o.Space, func() error {
			_, err := nft(ctx, o.Table.Script(o.Rebuild), "-f", "-")
			return err
		})
	case netd.DelTable:
		return k.Enter(o.Space, func() error { return delTable(ctx, o.Family, o.Name) })
	case netd.SetSysctl:
		return k.Enter(o.Space, func() error { return setSysctl(o.Sysctl) })
	case netd.AddBridge:
		return k.Enter("", func() error { return addBridge(o) })
	case netd.AddVeth:
		return k.Enter("", func() error { return addVeth(o) })
	case netd.AddVXLAN:
		return k.Enter("", func() error { return addVXLAN(o) })
	case netd.DelLink:
		return k.Enter(o.Space, func() error { return delLink(o.Name) })
	case netd.SetRoute:
		return k.Enter(o.Space, func() error { return netlink.RouteReplace(toRoute(o.Route)) })
	case netd.DelRoute:
		return k.Enter(o.Space, func() error { return gone(netlink.RouteDel(toRoute(o.Route))) })
	}
	return k.change(op)
}

// change does the Ops that alter a link in place.
func (k *Kernel) change(op netd.Op) error {
	switch o := op.(type) {
	case netd.SetMTU:
		return k.with(o.Space, o.Name, func(l netlink.Link) error { return netlink.LinkSetMTU(l, o.MTU) })
	case netd.SetMAC:
		return k.with(o.Space, o.Name, func(l netlink.Link) error { return netlink.LinkSetHardwareAddr(l, o.MAC[:]) })
	case netd.SetUp:
		return k.with(o.Space, o.Name, netlink.LinkSetUp)
	case netd.SetMaster:
		return k.with("", o.Name, func(l netlink.Link) error { return setMaster(l, o.Master) })
	case netd.AddAddr:
		return k.with(o.Space, o.Link, func(l netlink.Link) error {
			err := netlink.AddrAdd(l, &netlink.Addr{IPNet: toIPNet(o.Addr)})
			if errors.Is(err, unix.EEXIST) {
				return nil
			}
			return err
		})
	case netd.DelAddr:
		return k.with(o.Space, o.Link, func(l netlink.Link) error {
			return gone(netlink.AddrDel(l, &netlink.Addr{IPNet: toIPNet(o.Addr)}))
		})
	}
	return k.lead(op)
}

// lead does the Ops that lead to other hosts.
func (k *Kernel) lead(op netd.Op) error {
	switch o := op.(type) {
	case netd.SetDirected:
		return k.with("", o.Name, setDirected)
	case netd.SetHop:
		return k.with("", o.Link, func(l netlink.Link) error { return setHop(l, o) })
	case netd.DelHop:
		return k.with("", o.Link, func(l netlink.Link) error { return delHop(l, o) })
	case netd.SetNeighbour:
		return k.with("", o.Bridge, func(l netlink.Link) error { return netlink.NeighSet(neighbour(l, o.Addr, o.MAC)) })
	case netd.DelNeighbour:
		return k.with("", o.Bridge, func(l netlink.Link) error { return gone(netlink.NeighDel(neighbour(l, o.Addr, netd.MAC{}))) })
	}
	return fmt.Errorf("a kind of Op that is not known here: %T", op)
}

func (k *Kernel) with(space, name string, f func(netlink.Link) error) error {
	return k.Enter(space, func() error {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		return f(l)
	})
}

// gone takes for success what says that the thing to remove is not there.
func gone(err error) error {
	for _, e := range []error{unix.ENOENT, unix.ESRCH, unix.EADDRNOTAVAIL, unix.ENODEV} {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

func delTable(ctx context.Context, family, name string) error {
	l, err := listTable(ctx, family, name)
	if err != nil || !l.there {
		return err
	}
	_, err = nft(ctx, "", "delete", "table", family, name)
	return err
}

func setSysctl(s netd.Sysctl) error {
	err := os.WriteFile(sysctlPath(s.Key), []byte(s.Value), 0)
	if errors.Is(err, fs.ErrNotExist) && noIPv6() {
		return nil
	}
	return err
}

func addBridge(o netd.AddBridge) error {
	snoop := false
	a := netlink.NewLinkAttrs()
	a.Name, a.MTU, a.HardwareAddr = o.Name, o.MTU, o.MAC[:]
	return netlink.LinkAdd(&netlink.Bridge{LinkAttrs: a, MulticastSnooping: &snoop})
}

func addVeth(o netd.AddVeth) error {
	there, err := netns.GetFromName(o.Space)
	if err != nil {
		return err
	}
	defer there.Close()
	a := netlink.NewLinkAttrs()
	a.Name, a.MTU = o.Name, o.MTU
	v := netlink.NewVeth(a)
	v.PeerName, v.PeerMTU, v.PeerNamespace = o.Peer, uint32(o.MTU), netlink.NsFd(there)
	if o.PeerMAC != (netd.MAC{}) {
		v.PeerHardwareAddr = o.PeerMAC[:]
	}
	return netlink.LinkAdd(v)
}

func delLink(name string) error {
	l, err := netlink.LinkByName(name)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return err
	}
	return gone(netlink.LinkDel(l))
}

func setMaster(l netlink.Link, master string) error {
	if master == "" {
		return netlink.LinkSetNoMaster(l)
	}
	m, err := netlink.LinkByName(master)
	if err != nil {
		return err
	}
	return netlink.LinkSetMaster(l, m)
}

func toRoute(r netd.Route) *netlink.Route {
	return &netlink.Route{Dst: toIPNet(r.Dst), Gw: r.Via.AsSlice()}
}

func toIPNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func toPrefix(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	a, ok := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), bits), ok
}
