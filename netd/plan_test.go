package netd_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/fakekernel"
)

var update = flag.Bool("update", false, "write the golden files")

func mac(s string) netd.MAC {
	m, err := netd.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}

func network(id string, number uint32, cidr string) netd.Network {
	p := netip.MustParsePrefix(cidr)
	return netd.Network{ID: id, Number: number, MTU: 1450,
		Subnets: []netd.Subnet{{CIDR: p, Gateway: p.Addr().Next(), DHCP: true}}}
}

func joins(networks ...netd.Network) []netd.Interface {
	var out []netd.Interface
	for _, n := range networks {
		for _, s := range n.Subnets {
			out = append(out, netd.Interface{NetworkID: n.ID, Addr: netip.PrefixFrom(s.Gateway, s.CIDR.Bits())})
		}
	}
	return out
}

func portOf(id, network, addr string, last byte) netd.Port {
	return netd.Port{ID: id, NetworkID: network, Tap: netd.Names("kv").Tap(id),
		MAC: netd.MAC{0xfa, 0x16, 0x3e, 0, 0, last}, Addrs: []netip.Addr{netip.MustParseAddr(addr)}}
}

func remote(last byte, addr, via string) netd.Remote {
	return netd.Remote{MAC: netd.MAC{0xfa, 0x16, 0x3e, 0, 9, last}, Addrs: []netip.Addr{netip.MustParseAddr(addr)},
		Via: netip.MustParseAddr(via)}
}

// meshed is c on one host of several, with guests of its first network on the
// others.
func meshed(c netd.Config, own string, remotes ...netd.Remote) netd.Config {
	c.Tunnel = netd.Tunnel{Addr: netip.MustParseAddr(own), MTU: 1500}
	c.Networks = slices.Clone(c.Networks)
	c.Networks[0].Remotes = remotes
	return c
}

// states are the Configs of the golden files and of the random walk.
func states() map[string]netd.Config {
	red, blue, web := network("red", 7, "10.0.0.0/24"), network("blue", 40, "10.0.0.0/24"), network("web", 8, "10.0.1.0/24")
	two := network("red", 7, "10.0.0.0/24")
	two.Subnets = append(two.Subnets, network("", 1, "10.0.2.0/24").Subnets...)
	moved := network("red", 7, "10.0.0.0/24")
	moved.MTU = 1400
	moved.Subnets[0].Gateway = netip.MustParseAddr("10.0.0.254")
	ports := []netd.Port{portOf("a1", "red", "10.0.0.5", 1), portOf("b1", "blue", "10.0.0.5", 1)}
	denied := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	inner := netd.Router{ID: "r1", Number: 3, Interfaces: joins(red)}
	outer := netd.Router{ID: "r1", Number: 3, External: true, Interfaces: joins(red)}
	lone := netd.Config{Prefix: "kv", Networks: []netd.Network{red}, Ports: ports[:1], Routers: []netd.Router{outer}, Denied: denied}
	far, near := remote(6, "10.0.0.6", "198.51.100.2"), remote(7, "10.0.0.7", "198.51.100.2")
	routed := netd.Config{Prefix: "kv", Networks: []netd.Network{web, red, blue}, Ports: ports,
		Routers: []netd.Router{{ID: "r1", Number: 3, Interfaces: joins(red, web)}}}
	shut, dark := portOf("a1", "red", "10.0.0.5", 1), network("red", 7, "10.0.0.0/24")
	shut.Down, dark.Down = true, true
	return map[string]netd.Config{
		// All guests of one network are elsewhere; those of the other, which a
		// router joins with it, are here: both need a tunnel, the third not.
		"meshrouter": meshed(routed, "198.51.100.1", remote(6, "10.0.1.6", "198.51.100.2")),
		// Guests of one network on other hosts; one moves on, one goes, one
		// comes; a host with another end; and one with an end and nobody else.
		"mesh":      meshed(lone, "198.51.100.1", far, near),
		"meshmoved": meshed(lone, "198.51.100.1", remote(6, "10.0.0.66", "198.51.100.3"), remote(8, "10.0.0.8", "198.51.100.3")),
		"meshend":   meshed(lone, "198.51.100.9", far),
		"meshalone": meshed(lone, "198.51.100.1"),
		"empty":     {Prefix: "kv"},
		"lone":      {Prefix: "kv", Networks: []netd.Network{red}, Ports: ports[:1]},
		"router":    {Prefix: "kv", Networks: []netd.Network{red}, Ports: ports[:1], Routers: []netd.Router{inner}},
		"external":  {Prefix: "kv", Networks: []netd.Network{red}, Ports: ports[:1], Routers: []netd.Router{outer}, Denied: denied},
		"portdown":  {Prefix: "kv", Networks: []netd.Network{red}, Ports: []netd.Port{shut, portOf("a2", "red", "10.0.0.6", 2)}, Routers: []netd.Router{outer}},
		// The router joins another network too, which stays up.
		"netdown": {Prefix: "kv", Networks: []netd.Network{dark, web}, Ports: ports[:1],
			Routers: []netd.Router{{ID: "r1", Number: 3, External: true, Interfaces: joins(red, web)}}},
		"moved":     {Prefix: "kv", Networks: []netd.Network{moved}, Routers: []netd.Router{{ID: "r1", Number: 3, External: true, Interfaces: joins(moved)}}},
		"transfer":  {Prefix: "kv", Transfer: netip.MustParsePrefix("198.18.0.0/16"), Networks: []netd.Network{red}, Routers: []netd.Router{outer}},
		"twosubnet": {Prefix: "kv", Networks: []netd.Network{two, web}, Ports: ports[:1], Routers: []netd.Router{{ID: "r1", Number: 3, Interfaces: joins(two, web)}}},
		// The router joins one subnet of two.
		"partial": {Prefix: "kv", Networks: []netd.Network{two}, Routers: []netd.Router{{ID: "r1", Number: 3, Interfaces: joins(red)}}},
		"overlap": {Prefix: "kv", Networks: []netd.Network{red, blue}, Ports: ports,
			Routers: []netd.Router{outer, {ID: "r2", Number: 35, External: true, Interfaces: joins(blue)}}},
		"tworouters": {Prefix: "kv", Networks: []netd.Network{red}, Routers: []netd.Router{outer,
			{ID: "r2", Number: 35, Interfaces: []netd.Interface{{NetworkID: "red", Addr: netip.MustParsePrefix("10.0.0.2/24")}}}}},
	}
}

func names() []string {
	return []string{"empty", "lone", "router", "external", "moved", "transfer", "twosubnet", "overlap", "tworouters", "partial", "portdown", "netdown",
		"mesh", "meshmoved", "meshend", "meshalone", "meshrouter"}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and read the change. Got:\n%s", path, got)
	}
}

// Each state's plan from nothing, and what the kernel holds after it.
func TestGolden(t *testing.T) {
	for _, name := range names() {
		k := fakekernel.New()
		ops, err := netd.Converge(t.Context(), k, states()[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, name+".txt", "$ plan\n"+netd.Text(ops)+"\n$ kernel\n"+k.Text())
	}
}

// Changes between states that have a trap in them.
func TestGoldenChanges(t *testing.T) {
	for _, c := range [][2]string{{"lone", "router"}, {"router", "external"}, {"external", "moved"}, {"external", "empty"},
		{"external", "netdown"}, {"netdown", "external"},
		{"external", "mesh"}, {"mesh", "meshmoved"}, {"mesh", "meshend"}, {"mesh", "meshalone"}} {
		k := fakekernel.New()
		k.PutLink("", "kvta1", netd.Link{Kind: "tun", MTU: 1500})
		if _, err := netd.Converge(t.Context(), k, states()[c[0]]); err != nil {
			t.Fatal(err)
		}
		ops, err := netd.Converge(t.Context(), k, states()[c[1]])
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		golden(t, c[0]+"-"+c[1]+".txt", netd.Text(ops))
	}
}

// watched fails a test when an Op brings a link up without its filters, or
// takes the filters of one that is up.
type watched struct {
	*fakekernel.Kernel
	t *testing.T
}

func (w watched) Do(ctx context.Context, op netd.Op) error {
	before := w.open()
	err := w.Kernel.Do(ctx, op)
	for link := range w.open() {
		if !before[link] {
			line, _, _ := strings.Cut(op.String(), "\n")
			w.t.Errorf("after %s: %s is up and unfiltered", line, link)
		}
	}
	return err
}

// open are the links that are up without a filter.
func (w watched) open() map[string]bool {
	out := map[string]bool{}
	have, _ := w.Observe(context.Background())
	n := netd.Names("kv")
	_, guests := have.Root.Tables["bridge kv"]
	_, host := have.Root.Tables["ip kv"]
	for name, l := range have.Root.Links {
		if l.Up && n.Owns(name, "gutv") && !(guests && host) {
			out[name] = true
		}
	}
	for space, s := range have.Spaces {
		for name, l := range s.Links {
			if _, ok := s.Tables["ip kv"]; l.Up && n.Owns(name, "ix") && !ok {
				out[space+"/"+name] = true
			}
		}
	}
	return out
}

func seed(t *testing.T) *rand.Rand {
	s := rand.Uint64()
	t.Logf("seed %d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// A walk over all states, with guests' taps coming and going and somebody
// who meddles: every plan carries through and leaves nothing to do.
func TestRandomWalk(t *testing.T) {
	r := seed(t)
	k := watched{fakekernel.New(), t}
	for step := range 400 {
		name := names()[r.IntN(len(names()))]
		meddle(r, k.Kernel)
		ops, err := netd.Converge(t.Context(), k, states()[name])
		if err != nil {
			t.Fatalf("step %d, to %s: %v\nplan:\n%s\nkernel:\n%s", step, name, err, netd.Text(ops), k.Text())
		}
	}
}

func meddle(r *rand.Rand, k *fakekernel.Kernel) {
	have, _ := k.Observe(context.Background())
	switch r.IntN(9) {
	case 0:
		k.PutLink("", "kvta1", netd.Link{Kind: "tun", MTU: 1500})
	case 1:
		k.DropTable("", "bridge kv")
	case 2:
		for s := range have.Spaces {
			k.DropTable(s, "ip kv")
		}
	case 3:
		for s := range have.Spaces {
			k.DropSpace(s)
			break
		}
	case 4:
		k.PutLink("", "kvb7", netd.Link{Kind: "dummy", MTU: 1500})
	case 5:
		k.PutLink("", "kvv7", netd.Link{Kind: "dummy", MTU: 1500})
	case 6:
		if l, ok := have.Root.Links["kvv7"]; ok {
			l.Hops, l.Directed = map[netd.MAC]netd.Hop{{}: {Via: netip.MustParseAddr("198.51.100.3")}}, false
			k.PutLink("", "kvv7", l)
		}
	case 7:
		if l, ok := have.Root.Links["kvb7"]; ok {
			l.Neighbours = map[netip.Addr]netd.MAC{netip.MustParseAddr("10.0.0.1"): {2}}
			k.PutLink("", "kvb7", l)
		}
	}
}

// For each k, the k-th Op fails; the next run gets there all the same.
func TestFailAtEach(t *testing.T) {
	for _, from := range names() {
		for _, to := range names() {
			for at := 0; ; at++ {
				// The way to the first state is watched where it is the second.
				k := watched{fakekernel.New(), t}
				if _, err := netd.Converge(t.Context(), k.Kernel, states()[from]); err != nil {
					t.Fatal(err)
				}
				k.Refuse(at)
				ops, err := netd.Converge(t.Context(), k, states()[to])
				if err == nil {
					break // the plan has fewer Ops
				}
				if !errors.Is(err, fakekernel.ErrTold) {
					t.Fatalf("%s to %s, Op %d: %v\n%s", from, to, at, err, netd.Text(ops))
				}
				k.Refuse(-1)
				if _, err := netd.Converge(t.Context(), k, states()[to]); err != nil {
					t.Fatalf("%s to %s after Op %d failed: %v\n%s", from, to, at, err, k.Text())
				}
			}
		}
	}
}

// The same Config in another order is the same plan.
func TestOrderCarriesNoMeaning(t *testing.T) {
	r := seed(t)
	c := states()["overlap"]
	c.Tunnel, c.Networks[0].Remotes = states()["mesh"].Tunnel, states()["mesh"].Networks[0].Remotes
	want := netd.Text(netd.Plan(c, netd.Have{}))
	for range 20 {
		r.Shuffle(len(c.Networks), func(i, j int) { c.Networks[i], c.Networks[j] = c.Networks[j], c.Networks[i] })
		r.Shuffle(len(c.Routers), func(i, j int) { c.Routers[i], c.Routers[j] = c.Routers[j], c.Routers[i] })
		r.Shuffle(len(c.Ports), func(i, j int) { c.Ports[i], c.Ports[j] = c.Ports[j], c.Ports[i] })
		for i := range c.Networks {
			far := c.Networks[i].Remotes
			r.Shuffle(len(far), func(i, j int) { far[i], far[j] = far[j], far[i] })
		}
		if got := netd.Text(netd.Plan(c, netd.Have{})); got != want {
			t.Fatalf("another plan:\n%s", got)
		}
	}
	if !strings.Contains(want, "kvtb1 . fa:16:3e:00:00:01 . 10.0.0.5") {
		t.Errorf("no port in:\n%s", want)
	}
}

func TestUnsoundPrefixDoesNothing(t *testing.T) {
	k := fakekernel.New()
	if _, err := netd.Converge(t.Context(), k, states()["external"]); err != nil {
		t.Fatal(err)
	}
	have, _ := k.Observe(t.Context())
	for _, c := range []netd.Config{{}, {Prefix: "KV"}, {Prefix: "kvkv"}, {Prefix: "kv", Transfer: netip.MustParsePrefix("fd00::/8")}} {
		if ops := netd.Plan(c, have); len(ops) > 0 {
			t.Errorf("%+v: %s", c, netd.Text(ops))
		}
	}
}
