package kernel

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/netd"
)

// Observe implements netd.Kernel. It reports links of our names in the root
// namespace, and our namespaces whole.
func (k *Kernel) Observe(ctx context.Context) (netd.Have, error) {
	h := netd.Have{Spaces: map[string]netd.Space{}}
	err := k.Enter("", func() (err error) {
		h.Root, err = k.space(ctx, true)
		return err
	})
	if err != nil {
		return netd.Have{}, err
	}
	names, err := spaceNames()
	if err != nil {
		return netd.Have{}, errs.E("kernel.observe", errs.Internal, "", err)
	}
	for _, name := range names {
		if !k.names.OwnsSpace(name) {
			continue
		}
		var s netd.Space
		err := k.Enter(name, func() (err error) {
			s, err = k.space(ctx, false)
			return err
		})
		if errs.Is(err, errs.NotFound) {
			s, err = netd.Space{Broken: true}, nil
		}
		if err != nil {
			return netd.Have{}, err
		}
		h.Spaces[name] = s
	}
	return h, nil
}

func spaceNames() ([]string, error) {
	entries, err := os.ReadDir(spacesDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// space observes the thread's namespace.
func (k *Kernel) space(ctx context.Context, root bool) (netd.Space, error) {
	s := netd.Space{Tables: map[string]netd.Table{}}
	var err error
	if s.Links, err = k.links(root); err != nil {
		return s, errs.E("kernel.links", errs.Internal, "", err)
	}
	families := []string{"ip"}
	if root {
		families = []string{"bridge", "ip"}
	} else if s.Routes, err = routes(); err != nil {
		return s, errs.E("kernel.routes", errs.Internal, "", err)
	}
	if s.Sysctls, err = sysctls(netd.Keys(k.names, root, s.Links)); err != nil {
		return s, errs.E("kernel.sysctls", errs.Internal, "", err)
	}
	for _, family := range families {
		l, err := listTable(ctx, family, k.names.Table())
		if err != nil {
			return s, errs.E("kernel.tables", errs.Internal, "", err)
		}
		if l.there {
			s.Tables[l.table.Key()] = l.table
		}
	}
	return s, nil
}

// steady repeats a listing that changes in the kernel interrupted.
func steady[T any](list func() ([]T, error)) ([]T, error) {
	const tries = 5
	for i := 1; ; i++ {
		got, err := list()
		if i < tries && errors.Is(err, netlink.ErrDumpInterrupted) {
			continue
		}
		return got, err
	}
}

func (k *Kernel) links(root bool) (map[string]netd.Link, error) {
	all, err := steady(netlink.LinkList)
	if err != nil {
		return nil, err
	}
	addrs, err := steady(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return nil, err
	}
	byIndex, held := map[int]string{}, map[int][]netip.Prefix{}
	for _, l := range all {
		byIndex[l.Attrs().Index] = l.Attrs().Name
	}
	for _, a := range addrs {
		if p, ok := toPrefix(a.IPNet); ok && !p.Addr().IsLoopback() {
			held[a.LinkIndex] = append(held[a.LinkIndex], p)
		}
	}
	out := map[string]netd.Link{}
	for _, l := range all {
		a := l.Attrs()
		if root && !k.names.Owns(a.Name, "bgutv") {
			continue
		}
		link := netd.Link{Kind: l.Type(), MTU: a.MTU, Up: a.Flags&unix.IFF_UP != 0,
			Master: byIndex[a.MasterIndex], Addrs: held[a.Index], VXLAN: toVXLAN(l)}
		if a.Name == "lo" {
			link.Kind = ""
		}
		link.MAC = toMAC(a.HardwareAddr)
		out[a.Name] = link
	}
	if root {
		err = k.far(out, byIndex)
	}
	return out, err
}

// routes are the main table's, without those that follow from addresses.
func routes() ([]netd.Route, error) {
	all, err := steady(func() ([]netlink.Route, error) {
		main := &netlink.Route{Table: unix.RT_TABLE_MAIN}
		return netlink.RouteListFiltered(netlink.FAMILY_V4, main, netlink.RT_FILTER_TABLE)
	})
	var out []netd.Route
	for _, r := range all {
		if r.Protocol == unix.RTPROT_KERNEL {
			continue
		}
		route := netd.Route{Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}
		if p, ok := toPrefix(r.Dst); ok {
			route.Dst = p
		}
		if via, ok := netip.AddrFromSlice(r.Gw); ok {
			route.Via = via.Unmap()
		}
		out = append(out, route)
	}
	return out, err
}

// sysctls reads settings of the thread's namespace.
func sysctls(keys []string) (map[string]string, error) {
	out := map[string]string{}
	for _, key := range keys {
		b, err := os.ReadFile(sysctlPath(key))
		switch {
		case err == nil:
			out[key] = strings.TrimSpace(string(b))
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case strings.Contains(key, ".ipv6.") && noIPv6():
			// Without IPv6 in the kernel it is as off as can be.
			out[key] = "1"
		}
	}
	return out, nil
}

func noIPv6() bool {
	_, err := os.Stat("/proc/sys/net/ipv6")
	return errors.Is(err, fs.ErrNotExist)
}

func sysctlPath(key string) string {
	return filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/"))
}
