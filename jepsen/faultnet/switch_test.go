package faultnet

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// TestRackOnASwitch: a rack's network is the same on the switch as on its
// bridge.
func TestRackOnASwitch(t *testing.T) {
	t.Parallel()
	b := newBed(t, "kvfr", &Options{}, "a", "b")
	for _, to := range []string{"b", "a", b.host["b"].Address().String(), b.rack.Outside().Address().String(), b.rack.World().String()} {
		if !b.pingsAt("a", to) {
			t.Errorf("a does not reach %s", to)
		}
	}
	if got := b.output("a", "ls", "/sys/class/net"); strings.Join(strings.Fields(got), " ") != "eth0 eth1 lo" {
		t.Errorf("links of a = %q", got)
	}
	if got := b.output("a", "ip", "-br", "addr", "show", "eth0"); !strings.Contains(got, b.host["a"].Address().String()+"/16") {
		t.Errorf("eth0 of a: %s", got)
	}
	if got := b.output("a", "cat", "/sys/class/net/eth0/mtu"); got != "1500" {
		t.Errorf("its MTU is %s", got)
	}
	b.must(b.rack.Partition(b.ctx, []string{"a"}, []string{"b"}))
	if b.pings("a", "b") || b.pings("b", "a") {
		t.Error("a and b reach each other through a partition")
	}
	if !b.pingsAt("a", b.rack.World().String()) {
		t.Error("a does not reach the world, which is on no side")
	}
	b.must(b.sw.Apply(b.ctx, Rule{From: "a", To: "outside", Fault: Fault{Cut: true}}))
	b.must(b.rack.Heal(b.ctx))
	if !b.pings("a", "b") || b.pingsAt("a", b.rack.World().String()) {
		t.Error("healing the partition did not end it, or ended a rule too")
	}
	b.must(b.host["b"].Unplug(b.ctx))
	if got := b.output("b", "cat", "/sys/class/net/eth0/carrier"); got != "0" || b.pings("a", "b") {
		t.Errorf("b hears a with its cables out, carrier %s", got)
	}
	b.must(b.host["b"].Plug(b.ctx))
	b.eventually("a reaches b again", func() bool { return b.pings("a", "b") })
	b.output("b", "ip", "link", "set", "eth0", "down")
	if b.pings("a", "b") {
		t.Error("a reaches b, whose link is down")
	}
	b.output("b", "ip", "link", "set", "eth0", "up")
	b.eventually("a reaches b again", func() bool { return b.pings("a", "b") })
	// Tunnels are between the hosts' own addresses.
	for from, to := range map[string]string{"a": "b", "b": "a"} {
		b.output(from, "ip", "link", "add", "vx", "type", "vxlan", "id", "7", "dstport", "4789",
			"local", b.host[from].Address().String(), "remote", b.host[to].Address().String())
		b.output(from, "ip", "addr", "add", map[string]string{"a": "192.168.7.1/24", "b": "192.168.7.2/24"}[from], "dev", "vx")
		b.output(from, "ip", "link", "set", "vx", "up")
	}
	before := b.counts(b.sw, "a", "b")
	if b.output("a", "ping", "-c", "1", "-W", "5", "-s", "1400", "192.168.7.2"); b.counts(b.sw, "a", "b").Since(before).Packets < 2 {
		t.Error("the tunnel does not pass the switch")
	}
	if s := b.sw.Strays(); s.IPv6 == 0 || s.Malformed != 0 {
		t.Errorf("strays: %+v: links talk of IPv6 by themselves", s)
	}
}

// TestEachFaultShows: in its direction, to its protocol, in the amount that
// the counters say, and no longer after healing.
func TestEachFaultShows(t *testing.T) {
	t.Parallel()
	b := newBed(t, "kvff", &Options{Seed: 42, Bound: 16 << 20}, "a", "b")
	at, back := b.sink("b", "9000"), b.sink("a", "9000")
	const packets = 2000
	for _, row := range []struct {
		name string
		f    Fault
		look func(t *testing.T, c Counts, got []datagram, sent time.Duration)
	}{
		{"cut", Fault{Cut: true}, func(t *testing.T, c Counts, got []datagram, _ time.Duration) {
			if c.Cut != packets || len(got) != 0 {
				t.Errorf("%d arrived, %+v", len(got), c)
			}
		}},
		{"drop", Fault{Drop: 30 * Percent}, func(t *testing.T, c Counts, got []datagram, _ time.Duration) {
			if c.Dropped < packets/4 || c.Dropped > packets*35/100 || uint64(len(got)) != packets-c.Dropped || !slices.IsSorted(numbers(got)) {
				t.Errorf("%d arrived, %+v", len(got), c)
			}
		}},
		{"delay", Fault{Delay: 75 * ms, Jitter: 50 * ms}, func(t *testing.T, c Counts, got []datagram, sent time.Duration) {
			if c.Delayed != packets || len(got) != packets || !slices.IsSorted(numbers(got)) || got[0].at-sent < 25*ms {
				t.Errorf("%d arrived, the first after %v, %+v", len(got), got[0].at-sent, c)
			}
		}},
		{"duplicate", Fault{Duplicate: 20 * Percent}, func(t *testing.T, c Counts, got []datagram, _ time.Duration) {
			distinct := len(slices.Compact(numbers(got)))
			if c.Duplicated < packets/10 || uint64(len(got)) != packets+c.Duplicated || distinct != packets {
				t.Errorf("%d arrived, %d of them different, %+v", len(got), distinct, c)
			}
		}},
		{"reorder", Fault{Reorder: 10 * Percent}, func(t *testing.T, c Counts, got []datagram, _ time.Duration) {
			if c.Reordered == 0 || len(got) != packets || slices.IsSorted(numbers(got)) {
				t.Errorf("%d arrived, in order: %t, %+v", len(got), slices.IsSorted(numbers(got)), c)
			}
		}},
		{"corrupt", Fault{Corrupt: 20 * Percent}, func(t *testing.T, c Counts, got []datagram, _ time.Duration) {
			broken := slices.ContainsFunc(got, func(d datagram) bool { return !d.whole })
			if c.Corrupted < packets/10 || uint64(len(got)) != packets-c.Corrupted || broken {
				t.Errorf("%d arrived, broken: %t, %+v", len(got), broken, c)
			}
		}},
		{"forge", Fault{Corrupt: 20 * Percent, Forge: true}, func(t *testing.T, c Counts, got []datagram, _ time.Duration) {
			broken := 0
			for _, d := range got {
				if !d.whole || d.number >= packets {
					broken++
				}
			}
			// A bit of the number itself may give another that looks right.
			if c.Corrupted < packets/10 || len(got) != packets || broken < int(c.Corrupted)*9/10 || broken > int(c.Corrupted) {
				t.Errorf("%d arrived, %d broken, %+v", len(got), broken, c)
			}
		}},
		{"rate", Fault{Rate: 500_000, Queue: packets * datagramSize}, func(t *testing.T, c Counts, got []datagram, sent time.Duration) {
			if took := got[len(got)-1].at - sent; len(got) != packets || took < 390*ms {
				t.Errorf("%d arrived in %v, %+v", len(got), took, c)
			}
		}},
		{"rate with a short queue", Fault{Rate: 100_000, Queue: 4000}, func(t *testing.T, c Counts, got []datagram, _ time.Duration) {
			if c.Overflow == 0 || len(got) < 39 || uint64(len(got)) != packets-c.Overflow {
				t.Errorf("%d arrived, %+v", len(got), c)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b.must(b.sw.Apply(b.ctx, Rule{From: "a", To: "b", Match: Match{Proto: UDP}, Fault: row.f}))
			before, beforeBack := b.counts(b.sw, "a", "b"), b.counts(b.sw, "b", "a")
			sent := b.sw.clock.Mono()
			b.send("a", "b", "9000", 0, packets)
			b.send("b", "a", "9000", 0, packets)
			c := b.settled(b.sw, "a", "b", before, packets)
			want := c.Packets
			if !row.f.Forge {
				want -= c.Corrupted
			}
			row.look(t, c, b.arrived(at, want), sent)
			if c.Visible() == 0 {
				t.Errorf("nothing shows: %+v", c)
			}
			if got := b.arrived(back, packets); !slices.IsSorted(numbers(got)) || len(got) != packets {
				t.Errorf("on the way back %d arrived", len(got))
			}
			if c := b.counts(b.sw, "b", "a").Since(beforeBack); c.Visible() != 0 {
				t.Errorf("on the way back: %+v", c)
			}
			before = b.counts(b.sw, "a", "b")
			if !b.pings("a", "b") || b.counts(b.sw, "a", "b").Since(before).Visible() != 0 {
				t.Error("the fault of UDP shows in ICMP")
			}
			b.must(b.sw.Heal(b.ctx))
			before = b.counts(b.sw, "a", "b")
			b.send("a", "b", "9000", 0, packets)
			b.settled(b.sw, "a", "b", before, packets)
			if got := b.arrived(at, packets); len(got) != packets || b.counts(b.sw, "a", "b").Since(before).Visible() != 0 {
				t.Errorf("after healing %d arrived", len(got))
			}
		})
	}
}

// TestSeedRepeats: two racks with the same seed lose the very same datagrams,
// those that the decision says; a third with another seed does not.
func TestSeedRepeats(t *testing.T) {
	t.Parallel()
	const packets = 1000
	rule := Rule{From: "a", To: "b", Match: Match{Proto: UDP, DstPort: 9000}, Fault: Fault{Drop: 25 * Percent}}
	want := map[uint64][]uint32{}
	for _, seed := range []uint64{5, 6} {
		s, d := replace(nil, rule, key{match: rule.Match}), newDice(seed, Pair{"a", "b"})
		for n := range uint32(packets) {
			if decide(s, d, uint64(n)+1, packetOf(ipv4(numberUDP, at(addrA, 1), at(addrB, 9000), nil)), "").fate == passes {
				want[seed] = append(want[seed], n)
			}
		}
	}
	if slices.Equal(want[5], want[6]) {
		t.Fatal("two seeds, one outcome")
	}
	for _, seed := range []uint64{5, 5, 6} {
		b := newBed(t, "kvfs", &Options{Seed: seed, Capture: packets}, "a", "b")
		sink := b.sink("b", "9000")
		b.must(b.sw.Apply(b.ctx, rule))
		b.send("a", "b", "9000", 0, packets)
		c := b.settled(b.sw, "a", "b", Counts{}, packets)
		if got := numbers(b.arrived(sink, c.Packets)); !slices.Equal(got, want[seed]) {
			t.Errorf("seed %d: %d arrived, want the %d that the decision lets pass", seed, len(got), len(want[seed]))
		}
		var text strings.Builder
		b.must(b.sw.WriteCapture(&text))
		if lines, drops := strings.Count(text.String(), "\n"), strings.Count(text.String(), `"fate":"drop"`); lines != packets || drops != packets-len(want[seed]) {
			t.Errorf("seed %d: %d decisions were captured, %d of them drops", seed, lines, drops)
		}
		b.must(b.rack.Close(b.ctx))
		b.must(b.sw.Close())
	}
}

// TestStreamsSurvive: a TCP stream through loss, reordering, damage and
// repetition in both directions is the same at the other end.
func TestStreamsSurvive(t *testing.T) {
	t.Parallel()
	b := newBed(t, "kvft", &Options{Seed: 9}, "a", "b")
	b.echo("b", "9000")
	conn := b.dial("a", "b", "9000")
	b.must(b.sw.Apply(b.ctx, Between([]string{"a"}, []string{"b"}, Match{Proto: TCP},
		Fault{Drop: 2 * Percent, Duplicate: 2 * Percent, Corrupt: 2 * Percent, Reorder: 2 * Percent, Late: 2 * ms})...))
	text := strings.Repeat("0123456789abcdef", 1<<16)
	go func() { _, _ = io.WriteString(conn, text) }()
	b.must(conn.SetReadDeadline(time.Now().Add(time.Minute)))
	back := make([]byte, len(text))
	if n, err := io.ReadFull(conn, back); err != nil || string(back) != text {
		t.Errorf("%d bytes came back, %v, as they were: %t", n, err, string(back) == text)
	}
	for _, pair := range []Pair{{"a", "b"}, {"b", "a"}} {
		if c := b.counts(b.sw, pair.From, pair.To); c.Dropped == 0 || c.Duplicated == 0 || c.Corrupted == 0 || c.Reordered == 0 {
			t.Errorf("%v: %+v", pair, c)
		}
	}
}

// TestOneWayCut: what is cut one way still comes the other way.
func TestOneWayCut(t *testing.T) {
	t.Parallel()
	b := newBed(t, "kvfo", &Options{}, "a", "b", "c")
	b.echo("b", "9000")
	ab, cb := b.dial("a", "b", "9000"), b.dial("c", "b", "9000")
	b.must(says(ab, "hello", 10*time.Second))
	b.must(b.sw.Apply(b.ctx, Rule{From: "b", To: "a", Fault: Fault{Cut: true}}))
	before := b.counts(b.sw, "a", "b")
	if err := says(ab, "lost?", 300*time.Millisecond); err == nil {
		t.Error("an answer came through the cut")
	}
	there, back := b.counts(b.sw, "a", "b").Since(before), b.counts(b.sw, "b", "a")
	if there.Packets == 0 || there.Visible() != 0 || back.Cut == 0 {
		t.Errorf("there %+v, back %+v", there, back)
	}
	b.must(says(cb, "hello", 10*time.Second))
	b.must(b.sw.Heal(b.ctx))
	b.must(ab.SetDeadline(time.Now().Add(time.Minute)))
	buf := make([]byte, 5)
	if _, err := io.ReadFull(ab, buf); err != nil || string(buf) != "lost?" {
		t.Errorf("after healing came %q, %v", buf, err)
	}
}

// TestLinksComeAndGo: a link that was unplugged can be plugged in again, and
// the rules of its port have stayed.
func TestLinksComeAndGo(t *testing.T) {
	t.Parallel()
	b := newBed(t, "kvfg", &Options{}, "a", "b")
	b.must(b.sw.Apply(b.ctx, Rule{From: "a", To: "b", Match: Match{Proto: UDP}, Fault: Fault{Cut: true}}))
	a := netip.PrefixFrom(b.host["b"].Address(), b.rack.Range().Bits())
	path := "/run/netns/" + b.host["b"].Netns()
	if err := b.sw.Plug(b.ctx, "b", path, "eth7", a); !errs.Is(err, errs.Conflict) {
		t.Errorf("plugged in twice: %v", err)
	}
	if err := b.sw.Plug(b.ctx, "other", path, "eth7", a); !errs.Is(err, errs.Conflict) {
		t.Errorf("an address twice: %v", err)
	}
	b.must(b.sw.Unplug("b"))
	if got := b.output("b", "ls", "/sys/class/net"); strings.Join(strings.Fields(got), " ") != "eth1 lo" || b.pings("a", "b") {
		t.Errorf("links of b = %q", got)
	}
	for name, err := range map[string]error{"unplug": b.sw.Unplug("b"), "cable": b.sw.Cable("b", true), "nobody": b.sw.Unplug("x")} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	b.must(b.sw.Plug(b.ctx, "b", path, "eth0", a))
	if !b.pings("a", "b") {
		t.Error("a does not reach b after b was plugged in again")
	}
	at := b.sink("b", "9000")
	b.send("a", "b", "9000", 0, 10)
	if c := b.settled(b.sw, "a", "b", Counts{}, 10); c.Cut != 10 || at.count() != 0 {
		t.Errorf("the rule has gone: %+v", c)
	}
	missed, err := b.sw.Missed()
	if b.must(err); missed["a"] != 0 || len(missed) != 3 {
		t.Errorf("missed: %v", missed)
	}
	// Somebody else takes the link away.
	b.output("a", "ip", "link", "del", "eth0")
	b.eventually("the switch sees it", func() bool { return errs.Is(b.sw.Unplug("a"), errs.NotFound) })
}

func TestBadPortsAndRulesAreRefused(t *testing.T) {
	t.Parallel()
	b := newBed(t, "kvfb", &Options{}, "a", "b")
	net4 := netip.MustParsePrefix("10.99.0.1/24")
	for name, err := range map[string]error{
		"no name":     b.sw.Plug(b.ctx, "", "", "x0", net4),
		"long name":   b.sw.Plug(b.ctx, strings.Repeat("x", maxName+1), "", "x0", net4),
		"no link":     b.sw.Plug(b.ctx, "x", "", "", net4),
		"no address":  b.sw.Plug(b.ctx, "x", "", "x0", netip.Prefix{}),
		"IPv6":        b.sw.Plug(b.ctx, "x", "", "x0", netip.MustParsePrefix("fd00::1/64")),
		"IPv6 beyond": b.sw.Plug(b.ctx, "x", "", "x0", net4, netip.MustParsePrefix("::/0")),
	} {
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	before := links(t)
	for _, err := range []error{
		b.sw.Plug(b.ctx, "x", "/run/netns/kvfb-none", "x0", net4),
		b.sw.Plug(b.ctx, "x", "/run/netns/"+b.host["a"].Netns(), "far-too-long-a-link", net4),
		b.sw.Plug(b.ctx, "x", "/run/netns/"+b.host["a"].Netns(), "eth0", net4),
	} {
		if err == nil {
			t.Error("a link was made that cannot be")
		}
	}
	if after := links(t); !slices.Equal(before, after) {
		t.Errorf("links of the machine before %v, after %v", before, after)
	}
	cut := Fault{Cut: true}
	good := Rule{From: "a", To: "b", Fault: cut}
	if err := b.sw.Apply(b.ctx, good, Rule{From: "a", To: "x", Fault: cut}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a rule for nobody: %v", err)
	}
	if err := b.sw.Apply(b.ctx, good, Rule{From: "b", To: "a", Fault: Fault{Drop: -1}}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a bad rule: %v", err)
	}
	if err := b.sw.Part([]string{"a"}, []string{"x"}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a partition of nobody: %v", err)
	}
	var many []Rule
	for n := range maxRules + 1 {
		many = append(many, Rule{From: "a", To: "b", Match: Match{DstPort: uint16(n + 1)}, Fault: cut})
	}
	if err := b.sw.Apply(b.ctx, many...); !errs.Is(err, errs.Invalid) {
		t.Errorf("too many rules: %v", err)
	}
	if !b.pings("a", "b") {
		t.Error("a refused rule has an effect all the same")
	}
	b.must(b.sw.Apply(b.ctx, many[1:]...))
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{MTU: 100}, {MTU: 1 << 17}, {Bound: 1}, {Bound: 2 << 30}, {Capture: -1}, {Capture: 1 << 20}} {
		if _, err := New(o); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestClosedIsClosed(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Apply(context.Background()); !errs.Is(err, errs.Conflict) {
		t.Errorf("apply: %v", err)
	}
	if err := s.Plug(context.Background(), "a", "", "x0", netip.MustParsePrefix("10.99.0.1/24")); !errs.Is(err, errs.Conflict) {
		t.Errorf("plug: %v", err)
	}
}

// BenchmarkStream is one TCP stream between two hosts, in bytes; with a delay
// of nothing but a rule's own cost in the second.
func BenchmarkStream(b *testing.B) {
	for _, row := range []struct {
		name  string
		o     *Options
		rules []Rule
	}{
		{"bridge", nil, nil},
		{"switch", &Options{}, nil},
		{"switch-rule", &Options{Capture: 1000}, []Rule{{From: "a", To: "b", Fault: Fault{Drop: 1}}, {From: "b", To: "a", Fault: Fault{Drop: 1}}}},
		{"switch-delay", &Options{Bound: 64 << 20}, []Rule{{From: "a", To: "b", Fault: Fault{Delay: ms}}}},
		{"switch-9000", &Options{MTU: 9000}, nil},
	} {
		b.Run(row.name, func(b *testing.B) {
			bed := newBed(b, "kvfp", row.o, "a", "b")
			if bed.sw != nil {
				bed.must(bed.sw.Apply(bed.ctx, row.rules...))
			}
			l, err := bed.host["b"].Listen(bed.ctx, "tcp", bed.addr("b", "9000"))
			bed.must(err)
			got := make(chan int64, 1)
			bed.serve(l, func(c net.Conn) { n, _ := io.Copy(io.Discard, c); got <- n })
			const chunk = 1 << 20
			b.SetBytes(chunk)
			conn := bed.dial("a", "b", "9000")
			buf := make([]byte, chunk)
			for b.Loop() {
				_, err := conn.Write(buf)
				bed.must(err)
			}
			bed.must(conn.Close())
			if n := <-got; n != int64(b.N)*chunk {
				b.Errorf("%d bytes arrived of %d", n, b.N*chunk)
			}
			if bed.sw != nil {
				c := bed.counts(bed.sw, "a", "b")
				back := bed.counts(bed.sw, "b", "a")
				b.ReportMetric(float64(c.Packets+back.Packets)/b.Elapsed().Seconds(), "packets/s")
				missed, err := bed.sw.Missed()
				bed.must(err)
				b.ReportMetric(float64(missed["a"]+missed["b"]), "missed")
			}
		})
	}
}

// BenchmarkRoundTrip is a word there and back.
func BenchmarkRoundTrip(b *testing.B) {
	for _, o := range []*Options{nil, {}} {
		name := "bridge"
		if o != nil {
			name = "switch"
		}
		b.Run(name, func(b *testing.B) {
			bed := newBed(b, "kvfp", o, "a", "b")
			bed.echo("b", "9000")
			conn := bed.dial("a", "b", "9000")
			for b.Loop() {
				bed.must(says(conn, "x", time.Minute))
			}
		})
	}
}
