package faultnet

import (
	"slices"
	"testing"
	"time"
)

func stagesOf(t *testing.T, faults ...Rule) (all []*stage) {
	t.Helper()
	for _, r := range faults {
		r.From, r.To = "a", "b"
		r, err := r.normal()
		if err != nil {
			t.Fatal(err)
		}
		all = replace(all, r, key{match: r.Match})
	}
	return all
}

func packetOf(b []byte) *packet {
	p, _ := parse(b)
	return &p
}

func TestMatches(t *testing.T) {
	icmp := packetOf(ipv4(1, at(addrA, 0), at(addrB, 0), nil))
	stream := packetOf(tcp(8770, 40000, 1))
	datagram := packetOf(udp(1))
	later := packetOf(udp(1))
	later.later, later.srcPort, later.dstPort = true, 0, 0
	for _, row := range []struct {
		name string
		m    Match
		p    *packet
		alpn string
		want bool
	}{
		{"any takes icmp", Match{}, icmp, "", true},
		{"any takes tcp", Match{}, stream, "raft", true},
		{"tcp takes tcp", Match{Proto: TCP}, stream, "", true},
		{"tcp takes no udp", Match{Proto: TCP}, datagram, "", false},
		{"udp takes udp", Match{Proto: UDP}, datagram, "", true},
		{"udp takes no icmp", Match{Proto: UDP}, icmp, "", false},
		{"source port", Match{SrcPort: 8770}, stream, "", true},
		{"source port is no destination", Match{DstPort: 8770}, stream, "", false},
		{"destination port", Match{DstPort: 8771}, datagram, "", true},
		{"port and later fragment", Match{DstPort: 8771}, later, "", false},
		{"no port and later fragment", Match{Proto: UDP}, later, "", true},
		{"alpn", Match{Proto: TCP, ALPN: "raft"}, stream, "raft", true},
		{"another alpn", Match{Proto: TCP, ALPN: "raft"}, stream, "peer", false},
		{"unknown alpn", Match{Proto: TCP, ALPN: "raft"}, stream, "", false},
	} {
		s := stagesOf(t, Rule{Match: row.m, Fault: Fault{Cut: true}})
		v := decide(s, newDice(1, Pair{"a", "b"}), 1, row.p, row.alpn)
		if (v.fate == isCut) != row.want {
			t.Errorf("%s: %+v", row.name, v)
		}
	}
}

// TestSharesAreKept: each fault takes its share of many packets, whatever
// other faults there are.
func TestSharesAreKept(t *testing.T) {
	const packets = 200_000
	s := stagesOf(t, Rule{Fault: Fault{Drop: 20 * Percent, Duplicate: 5 * Percent, Corrupt: Percent, Reorder: 50 * Percent}},
		Rule{Match: Match{Proto: UDP}, Fault: Fault{Drop: 10 * Percent}})
	d := newDice(7, Pair{"a", "b"})
	p := packetOf(udp(1))
	var dropped, twice, corrupt, late, both int
	for n := range uint64(packets) {
		v := decide(s, d, n, p, "")
		_, who, _ := schedule(s, d, n, v, 0, p.size)
		for _, c := range []struct {
			is bool
			n  *int
		}{{v.fate == isDropped, &dropped}, {v.twice, &twice}, {v.corrupt, &corrupt}, {who >= 0, &late}, {v.twice && v.fate == isDropped, &both}} {
			if c.is {
				*c.n++
			}
		}
	}
	for _, row := range []struct {
		name string
		got  int
		want float64
	}{{"dropped by either", dropped, 0.28}, {"twice", twice, 0.05}, {"corrupt", corrupt, 0.01}, {"late", late, 0.5}, {"twice and dropped", both, 0.014}} {
		share := float64(row.got) / packets
		if share < row.want-0.004 || share > row.want+0.004 {
			t.Errorf("%s: %.4f of the packets, want %.3f", row.name, share, row.want)
		}
	}
}

// lost gives the numbers of the packets that are dropped.
func lost(s []*stage, d dice, packets uint64) (all []uint64) {
	p := packetOf(udp(1))
	for n := range packets {
		if decide(s, d, n, p, "").fate == isDropped {
			all = append(all, n)
		}
	}
	return all
}

// TestChanceIsTheSeeds: the same seed and pair give the same decisions, also
// beside other rules; another seed, pair or direction gives others.
func TestChanceIsTheSeeds(t *testing.T) {
	rule := Rule{Match: Match{Proto: UDP}, Fault: Fault{Drop: 30 * Percent}}
	ab := Pair{"a", "b"}
	want := lost(stagesOf(t, rule), newDice(1, ab), 1000)
	other := Rule{Fault: Fault{Duplicate: 50 * Percent, Delay: time.Second}}
	for name, got := range map[string][]uint64{
		"again":             lost(stagesOf(t, rule), newDice(1, ab), 1000),
		"behind other rule": lost(stagesOf(t, other, rule), newDice(1, ab), 1000),
	} {
		if !slices.Equal(got, want) {
			t.Errorf("%s: other packets are lost", name)
		}
	}
	for name, d := range map[string]dice{"another seed": newDice(2, ab), "another pair": newDice(1, Pair{"a", "c"}), "the way back": newDice(1, Pair{"b", "a"})} {
		if slices.Equal(lost(stagesOf(t, rule), d, 1000), want) {
			t.Errorf("%s loses the same packets", name)
		}
	}
	// A higher share loses the same packets, and more.
	rule.Drop = 60 * Percent
	more := lost(stagesOf(t, rule), newDice(1, ab), 1000)
	for _, n := range want {
		if !slices.Contains(more, n) {
			t.Errorf("packet %d is lost of 30%% but not of 60%%", n)
		}
	}
}

// TestCutIsStrongest: of several rules' fates the hardest counts, whichever
// rule came first.
func TestCutIsStrongest(t *testing.T) {
	hold := Rule{Match: Match{Proto: UDP}, Fault: Fault{Hold: true}}
	drop := Rule{Match: Match{DstPort: 8771}, Fault: Fault{Drop: Always}}
	cut := Rule{Fault: Fault{Cut: true}}
	for _, row := range []struct {
		rules []Rule
		want  fate
	}{{[]Rule{hold}, isHeld}, {[]Rule{hold, drop}, isDropped}, {[]Rule{drop, hold}, isDropped}, {[]Rule{hold, drop, cut}, isCut}, {[]Rule{cut, drop, hold}, isCut}} {
		if v := decide(stagesOf(t, row.rules...), newDice(1, Pair{"a", "b"}), 1, packetOf(udp(1)), ""); v.fate != row.want {
			t.Errorf("%v: %v, want %v", row.rules, v.fate, row.want)
		}
	}
}

// plan runs packets of 1000 bytes that come every step through the faults.
func plan(t *testing.T, packets int, step time.Duration, faults ...Rule) (due []time.Duration, late []int, full int) {
	t.Helper()
	s, d := stagesOf(t, faults...), newDice(3, Pair{"a", "b"})
	p := packetOf(udp(1))
	for n := range packets {
		v := decide(s, d, uint64(n), p, "")
		leaves, who, ok := schedule(s, d, uint64(n), v, time.Duration(n)*step, 1000)
		if !ok {
			full++
			continue
		}
		due, late = append(due, leaves-time.Duration(n)*step), append(late, who)
	}
	return due, late, full
}

func TestDelaysLieAround(t *testing.T) {
	const ms = time.Millisecond
	due, _, _ := plan(t, 5000, 100*ms, Rule{Fault: Fault{Delay: 75 * ms, Jitter: 50 * ms}})
	var sum time.Duration
	for _, d := range due {
		sum += d
	}
	low, high := slices.Min(due), slices.Max(due)
	if mean := sum / time.Duration(len(due)); low < 25*ms || low > 27*ms || high > 125*ms || high < 123*ms || mean < 73*ms || mean > 77*ms {
		t.Errorf("delays from %v to %v, %v in the middle", low, high, mean)
	}
}

// TestOnlyReorderOvertakes: jitter keeps the order, and whoever is late is
// late by the time that the rule says.
func TestOnlyReorderOvertakes(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		name  string
		f     Fault
		early bool
	}{
		{"jitter", Fault{Delay: 50 * ms, Jitter: 50 * ms}, false},
		{"jitter and rate", Fault{Delay: 50 * ms, Jitter: 50 * ms, Rate: 1 << 20, Queue: maxQueue}, false},
		{"reorder", Fault{Delay: 50 * ms, Reorder: 10 * Percent, Late: 20 * ms}, true},
	} {
		due, late, full := plan(t, 1000, ms, Rule{Fault: row.f})
		if full > 0 {
			t.Fatalf("%s: %d do not fit", row.name, full)
		}
		overtaken := false
		last := time.Duration(0)
		for n, d := range due {
			at := time.Duration(n)*ms + d
			if late[n] < 0 {
				overtaken = overtaken || at < last
				last = max(last, at)
			} else if d != 70*ms {
				t.Errorf("%s: packet %d is late by %v", row.name, n, d)
			}
		}
		if overtaken {
			t.Errorf("%s: a packet that is not late was overtaken", row.name)
		}
		if some := slices.Max(late) >= 0; some != row.early {
			t.Errorf("%s: some are late: %t", row.name, some)
		}
	}
}

// TestRateIsAWire: 1000 bytes take 10 ms at 100 kB/s, one after another, and
// what finds the queue full is lost.
func TestRateIsAWire(t *testing.T) {
	const ms = time.Millisecond
	due, _, full := plan(t, 10, 0, Rule{Fault: Fault{Rate: 100_000, Queue: 5000}})
	if want := []time.Duration{10 * ms, 20 * ms, 30 * ms, 40 * ms, 50 * ms}; !slices.Equal(due, want) || full != 5 {
		t.Errorf("a burst leaves at %v, %d are lost", due, full)
	}
	due, _, full = plan(t, 100, 10*ms, Rule{Fault: Fault{Rate: 100_000, Queue: 2048}})
	if slices.Max(due) != 10*ms || full != 0 {
		t.Errorf("at its own pace it waits up to %v, %d are lost", slices.Max(due), full)
	}
	// The slowest and the fastest wire there are.
	if due, _, _ := plan(t, 2, 0, Rule{Fault: Fault{Rate: 1, Queue: maxQueue}}); !slices.Equal(due, []time.Duration{1000 * time.Second, 2000 * time.Second}) {
		t.Errorf("at one byte a second: %v", due)
	}
	if due, _, full := plan(t, 100_000, 0, Rule{Fault: Fault{Rate: 1, Queue: maxQueue}}); full != 100_000-maxQueue/1000 || slices.Max(due) != maxQueue/1000*1000*time.Second {
		t.Errorf("at one byte a second: %d lost, the last after %v", full, slices.Max(due))
	}
	if due, _, full := plan(t, 10, 0, Rule{Fault: Fault{Rate: maxRate}}); slices.Max(due) > 20 || full != 0 {
		t.Errorf("at the highest rate: %v, %d lost", due, full)
	}
}

// TestRulesWorkOneAfterAnother: a delay for all and one for datagrams add up.
func TestRulesWorkOneAfterAnother(t *testing.T) {
	const ms = time.Millisecond
	due, _, _ := plan(t, 1, 0, Rule{Fault: Fault{Delay: 30 * ms}}, Rule{Match: Match{Proto: UDP}, Fault: Fault{Delay: 12 * ms}},
		Rule{Match: Match{Proto: TCP}, Fault: Fault{Delay: 100 * ms}})
	if due[0] != 42*ms {
		t.Errorf("delayed by %v, want 42ms", due[0])
	}
}

func TestReplaceKeepsPlaces(t *testing.T) {
	u, c := Match{Proto: UDP}, Match{Proto: TCP}
	s := stagesOf(t, Rule{Match: u, Fault: Fault{Cut: true}}, Rule{Match: c, Fault: Fault{Cut: true}}, Rule{Match: u, Fault: Fault{Drop: 7}})
	if len(s) != 2 || s[0].Drop != 7 || s[0].Cut || s[1].Proto != TCP {
		t.Errorf("%v", s)
	}
	if gone := replace(s, Rule{Match: u}, key{match: u}); len(gone) != 1 || gone[0] != s[1] || len(s) != 2 {
		t.Errorf("taken away: %v, before: %v", gone, s)
	}
	if same := replace(s, Rule{Match: Match{SrcPort: 1}}, key{match: Match{SrcPort: 1}}); len(same) != 2 {
		t.Errorf("taking away what is not there: %v", same)
	}
}
