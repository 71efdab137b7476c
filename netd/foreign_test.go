package netd_test

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/fakekernel"
)

// Names of others, names that look nearly like ours, and ours.
var anyName = rapid.SampledFrom([]string{
	"eth0", "docker0", "virbr0", "lo", "kv", "kvm0", "kvb", "kvbX", "xkvb7", "kvb7-", "kvb-7", "k", "tap0", "kvr3x-", "kvq1", "kvt-1",
	"kvb7", "kvb9", "kvg7", "kvg7-3", "kvg9-1", "kvi7", "kvi7-3", "kvu3", "kvx3", "kvr3", "kvr9", "kvn7", "kvta1", "kvtzz",
	"kvv7", "kvv9", "kvv", "kvv7-3", "vxlan0",
})

func anyLink(t *rapid.T) netd.Link {
	l := netd.Link{
		Kind: rapid.SampledFrom([]string{"bridge", "veth", "tun", "dummy", "vxlan", ""}).Draw(t, "kind"),
		MTU:  rapid.SampledFrom([]int{1400, 1450, 1500}).Draw(t, "mtu"),
		Up:   rapid.Bool().Draw(t, "up"), Master: rapid.SampledFrom([]string{"", "kvb7", "docker0"}).Draw(t, "master"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "addrs") {
		l.Addrs = append(l.Addrs, rapid.SampledFrom([]netip.Prefix{
			netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("100.64.0.6/31"), netip.MustParsePrefix("192.0.2.1/24"),
		}).Draw(t, "addr"))
	}
	l.Directed = l.Master != "" && rapid.Bool().Draw(t, "directed")
	for range rapid.IntRange(0, 2).Draw(t, "far") {
		via := netip.MustParseAddr(rapid.SampledFrom([]string{"198.51.100.2", "198.51.100.3"}).Draw(t, "via"))
		m := netd.MAC{0xfa, 0x16, 0x3e, 0, 9, rapid.SampledFrom([]byte{6, 9}).Draw(t, "mac")}
		switch l.Kind {
		case "vxlan":
			l.Hops = map[netd.MAC]netd.Hop{m: {Via: via, Bridged: l.Master != "" && rapid.Bool().Draw(t, "bridged")}}
		case "bridge":
			l.Neighbours = map[netip.Addr]netd.MAC{netip.MustParseAddr("10.0.0.6"): m}
		}
	}
	return l
}

// anyVXLAN is what a link of a tunnel's name is found as. Numbers of others'
// links are out of our way: where they are not, the kernel refuses ours.
func anyVXLAN(t *rapid.T, name string) netd.VXLAN {
	v := netd.VXLAN{Port: rapid.SampledFrom([]uint16{4789, 8472}).Draw(t, "port"), Learning: rapid.Bool().Draw(t, "learning"),
		Local: netip.MustParseAddr(rapid.SampledFrom([]string{"198.51.100.1", "192.0.2.9"}).Draw(t, "local"))}
	if netd.Names("kv").Owns(name, "v") {
		v.Number = rapid.SampledFrom([]uint32{7, 9}).Draw(t, "number")
	}
	return v
}

func anySpace(t *rapid.T) netd.Space {
	s := netd.Space{Links: map[string]netd.Link{}, Tables: map[string]netd.Table{}, Broken: rapid.IntRange(0, 9).Draw(t, "broken") == 0}
	for range rapid.IntRange(0, 6).Draw(t, "links") {
		name := anyName.Draw(t, "link")
		l := anyLink(t)
		if l.Kind == "vxlan" {
			l.VXLAN = anyVXLAN(t, name)
		}
		s.Links[name] = l
	}
	for range rapid.IntRange(0, 2).Draw(t, "routes") {
		s.Routes = append(s.Routes, netd.Route{Dst: netip.MustParsePrefix("10.0.0.0/8"), Via: netip.MustParseAddr("10.0.0.9")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "tables") {
		table := netd.Table{Family: rapid.SampledFrom([]string{"ip", "bridge", "inet"}).Draw(t, "family"),
			Name:   rapid.SampledFrom([]string{"kv", "filter", "kvx"}).Draw(t, "table"),
			Chains: []netd.Chain{{Name: rapid.SampledFrom([]string{"guest", "input", "mine"}).Draw(t, "chain")}}}
		s.Tables[table.Key()] = table
	}
	return s
}

func anyHave(t *rapid.T) netd.Have {
	h := netd.Have{Root: anySpace(t), Spaces: map[string]netd.Space{}}
	h.Root.Broken = false
	for range rapid.IntRange(0, 4).Draw(t, "spaces") {
		h.Spaces[anyName.Draw(t, "space")] = anySpace(t)
	}
	return h
}

func anyConfig(t *rapid.T) netd.Config {
	c := states()[rapid.SampledFrom(names()).Draw(t, "state")]
	// A port that names somebody else's link must not get it either.
	c.Ports = append(c.Ports, netd.Port{ID: "evil", NetworkID: "red", Tap: anyName.Draw(t, "tap"),
		MAC: netd.MAC{2, 9}, Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.99")}})
	return c
}

// objects gives the names that an Op touches: links with their namespace,
// namespaces, tables.
func objects(op netd.Op) (space string, links, spaces, tables []string) {
	switch o := op.(type) {
	case netd.AddSpace:
		return "", nil, []string{o.Name}, nil
	case netd.DelSpace:
		return "", nil, []string{o.Name}, nil
	case netd.SetSysctl:
		return o.Space, []string{o.Link}, nil, nil
	case netd.ApplyTable:
		return o.Space, nil, nil, []string{o.Table.Name}
	case netd.DelTable:
		return o.Space, nil, nil, []string{o.Name}
	case netd.AddBridge:
		return "", []string{o.Name}, nil, nil
	case netd.AddVeth:
		return "", []string{o.Name, o.Peer}, []string{o.Space}, nil
	case netd.DelLink:
		return o.Space, []string{o.Name}, nil, nil
	case netd.AddVXLAN:
		return "", []string{o.Name}, nil, nil
	case netd.SetDirected:
		return "", []string{o.Name}, nil, nil
	case netd.SetHop:
		return "", []string{o.Link}, nil, nil
	case netd.DelHop:
		return "", []string{o.Link}, nil, nil
	case netd.SetNeighbour:
		return "", []string{o.Bridge}, nil, nil
	case netd.DelNeighbour:
		return "", []string{o.Bridge}, nil, nil
	case netd.SetMTU:
		return o.Space, []string{o.Name}, nil, nil
	case netd.SetMAC:
		return o.Space, []string{o.Name}, nil, nil
	case netd.SetMaster:
		return "", []string{o.Name, o.Master}, nil, nil
	case netd.SetUp:
		return o.Space, []string{o.Name}, nil, nil
	case netd.AddAddr:
		return o.Space, []string{o.Link}, nil, nil
	case netd.DelAddr:
		return o.Space, []string{o.Link}, nil, nil
	case netd.SetRoute:
		return o.Space, nil, nil, nil
	case netd.DelRoute:
		return o.Space, nil, nil, nil
	}
	return "", nil, nil, []string{"an Op that this test does not know: " + op.String()}
}

// Whatever is wanted and whatever is there, a plan names nothing that is not
// ours; and carried out, it leaves nothing to do.
func TestPlanNamesNothingForeign(t *testing.T) {
	n := netd.Names("kv")
	rapid.Check(t, func(t *rapid.T) {
		want, have := anyConfig(t), anyHave(t)
		for _, op := range netd.Plan(want, have) {
			space, links, spaces, tables := objects(op)
			if space != "" {
				spaces = append(spaces, space)
			}
			for _, l := range links {
				if l != "" && !n.Owns(l, "bgiutxv") && (space == "" || l != "lo") {
					t.Fatalf("foreign link %q: %s", l, op)
				}
			}
			for _, s := range spaces {
				if !n.OwnsSpace(s) {
					t.Fatalf("foreign namespace %q: %s", s, op)
				}
			}
			for _, table := range tables {
				if table != "kv" {
					t.Fatalf("foreign table %q: %s", table, op)
				}
			}
			if d, ok := op.(netd.DelLink); ok && n.OwnsTap(d.Name) {
				t.Fatalf("a guest's tap is not ours to remove: %s", op)
			}
		}
		k := fakekernel.Load(have)
		if ops, err := netd.Converge(t.Context(), k, want); err != nil {
			t.Fatalf("%v\n%s\nkernel:\n%s", err, netd.Text(ops), k.Text())
		}
	})
}

func TestNames(t *testing.T) {
	n := netd.Names("kvz")
	outer, inner := n.Gateway(1<<24-1, 1<<21-1)
	up, in := n.Uplink(1<<21 - 1)
	for _, name := range []string{outer, inner, up, in, n.Bridge(1<<24 - 1), n.Tunnel(1<<24 - 1), n.Tap("0d5be1f0-68ba-4c4f-9d4f-5d3f6bd9f1c2")} {
		if len(name) > 15 || !n.Owns(name, "bgiutxv") {
			t.Errorf("%q: %d bytes, owned %v", name, len(name), n.Owns(name, "bgiutxv"))
		}
	}
	for _, name := range []string{"eth0", "kvz", "kvzb", "kvzb-", "kvzb7-", "kvzb7 ", "kvzB7", "kvzbé", "xkvzb7", strings.Repeat("kvzb", 5), "kvzb/7"} {
		if n.Owns(name, "bgiutxv") {
			t.Errorf("%q is not ours", name)
		}
	}
	if netd.Names("").Owns("b7", "b") {
		t.Error("no prefix owns nothing")
	}
}
