package faultnet

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

func (b *bed) filter() *Filter {
	b.t.Helper()
	var all []Member
	for _, h := range b.rack.Hosts() {
		all = append(all, Member{Name: h.Name(), Netns: h.Netns(), Addr: h.Address()})
	}
	f, err := NewFilter(b.ctx, all...)
	b.must(err)
	b.t.Cleanup(func() {
		// The namespaces may have gone before.
		_ = f.Close(b.ctx)
	})
	return f
}

// TestBothNetworksAlike holds the switch and the packet filter against each
// other: what both can do shows the same.
func TestBothNetworksAlike(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		prefix string
		o      *Options
	}{{"switch", "kvfa", &Options{Seed: 3}}, {"filter", "kvfa2", nil}} {
		t.Run(row.name, func(t *testing.T) {
			b := newBed(t, row.prefix, row.o, "a", "b", "c")
			var n Network = b.sw
			if row.o == nil {
				n = b.filter()
			}
			alike(t, b, n)
		})
	}
}

func alike(t *testing.T, b *bed, n Network) {
	const packets = 2000
	at, back, other := b.sink("b", "9000"), b.sink("a", "9000"), b.sink("b", "9001")
	b.echo("b", "9000")
	ab := b.dial("a", "b", "9000")
	count := func(from, to, port string, s *sink) (c Counts, got []datagram) {
		before := b.counts(n, from, to)
		b.send(from, to, port, 0, packets)
		b.eventually("each has arrived or is counted", func() bool {
			c = b.counts(n, from, to).Since(before)
			return uint64(s.count())+c.Cut+c.Dropped >= packets
		})
		return c, s.took()
	}
	// A cut of everything, one way.
	b.must(n.Apply(b.ctx, Rule{From: "a", To: "b", Fault: Fault{Cut: true}}))
	if c, got := count("a", "b", "9000", at); c.Cut < packets || len(got) != 0 {
		t.Errorf("cut: %d arrived, %+v", len(got), c)
	}
	if c, got := count("b", "a", "9000", back); c.Cut != 0 || len(got) != packets {
		t.Errorf("the way back: %d arrived, %+v", len(got), c)
	}
	if err := says(ab, "hello", 200*time.Millisecond); err == nil || b.pings("a", "b") || !b.pings("c", "b") {
		t.Error("the cut does not cut all of the pair, or more than the pair")
	}
	// Loss of one port's datagrams, in place of the cut.
	b.must(n.Apply(b.ctx, Rule{From: "a", To: "b"},
		Rule{From: "a", To: "b", Match: Match{Proto: UDP, DstPort: 9000}, Fault: Fault{Drop: 40 * Percent}}))
	c, got := count("a", "b", "9000", at)
	if c.Dropped < packets*36/100 || c.Dropped > packets*44/100 || uint64(len(got)) != packets-c.Dropped || !slices.IsSorted(numbers(got)) {
		t.Errorf("loss: %d arrived, %+v", len(got), c)
	}
	if c, got := count("a", "b", "9001", other); c.Dropped != 0 || len(got) != packets {
		t.Errorf("another port: %d arrived, %+v", len(got), c)
	}
	// The answers of one port, whatever the protocol.
	fresh := b.dial("a", "b", "9000")
	b.must(says(fresh, "hello", 10*time.Second))
	b.must(n.Apply(b.ctx, Rule{From: "b", To: "a", Match: Match{SrcPort: 9000}, Fault: Fault{Drop: Always}}))
	before := b.counts(n, "b", "a")
	if err := says(fresh, "hello", 200*time.Millisecond); err == nil || !b.pings("a", "b") {
		t.Error("an answer came from the port that is silent")
	}
	if c := b.counts(n, "b", "a").Since(before); c.Dropped == 0 {
		t.Errorf("the silent port: %+v", c)
	}
	b.must(n.Heal(b.ctx))
	after := b.counts(n, "a", "b")
	if c, got := count("a", "b", "9000", at); c.Visible() != 0 || len(got) != packets || after.Cut == 0 {
		t.Errorf("after healing: %d arrived, %+v, before %+v", len(got), c, after)
	}
	if err := n.Apply(b.ctx, Rule{From: "a", To: "x", Fault: Fault{Cut: true}}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a rule for nobody: %v", err)
	}
	if err := n.Apply(b.ctx, Rule{From: "a", To: "b", Fault: Fault{Drop: Always + 1}}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a bad rule: %v", err)
	}
}

func TestFilterRefusesWhatItCannot(t *testing.T) {
	t.Parallel()
	b := newBed(t, "kvfu", nil, "a", "b")
	f := b.filter()
	for _, r := range []Rule{
		{Fault: Fault{Hold: true}}, {Fault: Fault{Delay: ms}}, {Fault: Fault{Corrupt: 1}}, {Fault: Fault{Duplicate: 1}},
		{Fault: Fault{Reorder: 1}}, {Fault: Fault{Rate: 1}}, {Match: Match{Proto: TCP, ALPN: "raft"}, Fault: Fault{Cut: true}},
	} {
		r.From, r.To = "a", "b"
		if err := f.Apply(b.ctx, Rule{From: "a", To: "b", Fault: Fault{Cut: true}}, r); !errs.Is(err, errs.Unsupported) {
			t.Errorf("%v: %v, want unsupported", r, err)
		}
	}
	if !b.pings("a", "b") {
		t.Error("a refused rule has an effect all the same")
	}
	b.must(f.Apply(b.ctx, Rule{From: "a", To: "b", Fault: Fault{Cut: true}}))
	if b.pings("a", "b") {
		t.Error("the cut has no effect")
	}
	b.must(f.Close(b.ctx))
	if got := b.output("b", "nft", "list", "ruleset"); got != "" || !b.pings("a", "b") {
		t.Errorf("the filter left %s", got)
	}
	b.must(f.Close(b.ctx))
	one := netip.MustParseAddr("10.0.0.1")
	for name, all := range map[string][]Member{
		"no name":      {{"", "x", one}},
		"no namespace": {{"a", "", one}},
		"IPv6":         {{"a", "x", netip.IPv6Loopback()}},
		"one name":     {{"a", "x", one}, {"a", "y", one.Next()}},
		"one address":  {{"a", "x", one}, {"b", "y", one}},
	} {
		if _, err := NewFilter(b.ctx, all...); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewFilter(b.ctx, Member{"a", "kvfu-none", one}); err == nil {
		t.Error("a filter in a namespace that does not exist")
	}
}

func TestFilterScript(t *testing.T) {
	f := &Filter{members: []Member{{"a", "x-a", addrA}, {"b", "x-b", addrB}}}
	var rules []*stage
	for _, r := range []Rule{
		{Match: Match{Proto: TCP, SrcPort: 8770}, Fault: Fault{Drop: 5 * Percent}},
		{Match: Match{DstPort: 53}, Fault: Fault{Drop: Always}},
		{Match: Match{Proto: UDP}, Fault: Fault{Cut: true}},
		{Fault: Fault{Cut: true}},
	} {
		r.From, r.To = "a", "b"
		rules = replace(rules, r, key{match: r.Match, from: "a"})
	}
	const want = `table ip faultnet {
 counter pass0 { }
 counter drop0 { }
 counter cut0 { }
 chain in { type filter hook input priority -300; policy accept; }
}
flush chain ip faultnet in
add rule ip faultnet in ip saddr 10.0.0.1 meta l4proto tcp th sport 8770 numgen random mod 1000000 < 50000 counter name drop0 drop
add rule ip faultnet in ip saddr 10.0.0.1 meta l4proto { tcp, udp } th dport 53 counter name drop0 drop
add rule ip faultnet in ip saddr 10.0.0.1 meta l4proto udp counter name cut0 drop
add rule ip faultnet in ip saddr 10.0.0.1 counter name cut0 drop
add rule ip faultnet in ip saddr 10.0.0.1 counter name pass0
`
	if got := f.script(f.members[1], rules); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := f.script(f.members[0], nil); strings.Contains(got, "saddr 10.0.0.1") || !strings.Contains(got, "saddr 10.0.0.2 counter name pass1") {
		t.Errorf("of the other: %s", got)
	}
}
