package faultnet

import (
	"fmt"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// Proto is a protocol above IP, for a Match.
type Proto string

// The protocols that rules tell apart. Whatever else there is, such as ICMP,
// is matched by Any alone.
const (
	Any Proto = ""
	TCP Proto = "tcp"
	UDP Proto = "udp"
)

// Match says which packets of a pair a rule is for. The zero Match is for all.
type Match struct {
	Proto Proto `json:"proto,omitempty"`
	// SrcPort and DstPort are those of TCP or UDP; 0 for any. Fragments after
	// the first carry no ports, and match only where none is asked for.
	SrcPort uint16 `json:"src_port,omitempty"`
	DstPort uint16 `json:"dst_port,omitempty"`
	// ALPN is the protocol for which a TLS connection was opened, whoever of
	// the two opened it; "" for any. It is seen in the first packet that the
	// client sends after the handshake of TCP: a connection older than the
	// switch has none.
	ALPN string `json:"alpn,omitempty"`
}

// Back is the match for the answers: the ports change places.
func (m Match) Back() Match {
	m.SrcPort, m.DstPort = m.DstPort, m.SrcPort
	return m
}

// Fault is what happens to the packets of a rule. Its parts work together, in
// the order in which they stand here; the zero Fault is none.
type Fault struct {
	// Cut loses all.
	Cut bool `json:"cut,omitempty"`
	// Drop is the share that is lost.
	Drop Share `json:"drop,omitempty"`
	// Hold keeps all until a change of the pair's rules lets them go: they are
	// judged again then, in the order in which they came.
	Hold bool `json:"hold,omitempty"`
	// Duplicate is the share of which a second copy follows the first.
	Duplicate Share `json:"duplicate,omitempty"`
	// Corrupt is the share in which a bit beyond the IP header is flipped; the
	// checksums of TCP and UDP see that. With Forge the bit is one of the
	// payload and the checksum is made to fit, so that it reaches the program.
	Corrupt Share `json:"corrupt,omitempty"`
	Forge   bool  `json:"forge,omitempty"`
	// Delay is added to the way, give or take up to Jitter, evenly spread.
	// Neither lets a packet overtake another. At most MaxDelay each, and
	// Jitter at most Delay.
	Delay  time.Duration `json:"delay,omitempty"`
	Jitter time.Duration `json:"jitter,omitempty"`
	// Reorder is the share that takes Late longer, so that others overtake it.
	// Late is 10 ms by default.
	Reorder Share         `json:"reorder,omitempty"`
	Late    time.Duration `json:"late,omitempty"`
	// Rate is how many bytes of IP pass in a second; 0 for no limit. What
	// comes faster waits in a queue of Queue bytes, 64 KiB by default, and is
	// lost if that is full.
	Rate  int64 `json:"rate,omitempty"`
	Queue int   `json:"queue,omitempty"`
}

// Rule is a fault for some packets of a pair. When several rules match a
// packet it meets all of them, in the order in which they were first set.
type Rule struct {
	From string `json:"from"`
	To   string `json:"to"`
	Match
	Fault
}

const (
	// MaxDelay bounds each part of a delay.
	MaxDelay = time.Minute

	defaultLate  = 10 * time.Millisecond
	defaultQueue = 64 << 10
	minQueue     = 2 << 10
	maxQueue     = 64 << 20
	maxRate      = 1 << 40
	maxALPN      = 255
	// maxRules bounds the rules of one pair; verdict.met has a bit for each.
	maxRules = 16
)

// normal fills in the defaults; Invalid if the rule makes no sense.
func (r Rule) normal() (Rule, error) {
	const op = "faultnet.rule"
	bad := func(format string, args ...any) (Rule, error) {
		return r, errs.Errorf(op, errs.Invalid, "rule %v: %s", Pair{r.From, r.To}, fmt.Sprintf(format, args...))
	}
	if r.From == "" || r.To == "" || r.From == r.To {
		return bad("a pair is two different ports")
	}
	if r.Proto != Any && r.Proto != TCP && r.Proto != UDP {
		return bad("%q is none of tcp, udp and \"\"", string(r.Proto))
	}
	if len(r.ALPN) > maxALPN || r.ALPN != "" && r.Proto != TCP {
		return bad("an ALPN of at most %d bytes goes with tcp only", maxALPN)
	}
	for _, s := range []Share{r.Drop, r.Duplicate, r.Corrupt, r.Reorder} {
		if s < 0 || s > Always {
			return bad("%d is no share: 0 to %d", int(s), int(Always))
		}
	}
	for _, d := range []time.Duration{r.Delay, r.Jitter, r.Late} {
		if d < 0 || d > MaxDelay {
			return bad("%v is no delay: 0 to %v", d, MaxDelay)
		}
	}
	if r.Jitter > r.Delay {
		return bad("the jitter %v is more than the delay %v", r.Jitter, r.Delay)
	}
	if r.Rate < 0 || r.Rate > maxRate || r.Queue < 0 || r.Queue > maxQueue || r.Queue > 0 && r.Queue < minQueue {
		return bad("a rate is 0 to %d, a queue 0 or %d to %d", int64(maxRate), minQueue, maxQueue)
	}
	if r.Forge && r.Corrupt == 0 || r.Late > 0 && r.Reorder == 0 || r.Queue > 0 && r.Rate == 0 {
		return bad("forge, late and queue go with corrupt, reorder and rate")
	}
	if r.Reorder > 0 && r.Late == 0 {
		r.Late = defaultLate
	}
	if r.Rate > 0 && r.Queue == 0 {
		r.Queue = defaultQueue
	}
	return r, nil
}

// String shows the rule in one line, for logs.
func (r Rule) String() string {
	var b strings.Builder
	b.WriteString(Pair{r.From, r.To}.String())
	say := func(yes bool, format string, args ...any) {
		if yes {
			fmt.Fprintf(&b, " "+format, args...)
		}
	}
	say(r.Proto != Any, "%s", string(r.Proto))
	say(r.SrcPort != 0, "from port %d", r.SrcPort)
	say(r.DstPort != 0, "to port %d", r.DstPort)
	say(r.ALPN != "", "alpn %s", r.ALPN)
	say(r.Fault == Fault{}, "no fault")
	say(r.Cut, "cut")
	say(r.Drop > 0, "drop %v", r.Drop)
	say(r.Hold, "hold")
	say(r.Duplicate > 0, "duplicate %v", r.Duplicate)
	say(r.Corrupt > 0 && !r.Forge, "corrupt %v", r.Corrupt)
	say(r.Corrupt > 0 && r.Forge, "forge %v", r.Corrupt)
	say(r.Delay > 0, "delay %v±%v", r.Delay, r.Jitter)
	say(r.Reorder > 0, "reorder %v by %v", r.Reorder, r.Late)
	say(r.Rate > 0, "rate %d B/s", r.Rate)
	return b.String()
}

// OneWay gives the fault to all that the first send to the second, for each
// pair of the two groups.
func OneWay(from, to []string, m Match, f Fault) (rules []Rule) {
	for _, a := range from {
		for _, b := range to {
			if a != b {
				rules = append(rules, Rule{From: a, To: b, Match: m, Fault: f})
			}
		}
	}
	return rules
}

// Between gives the fault to both directions. m is for what the first send;
// the other direction has the ports the other way round.
func Between(a, b []string, m Match, f Fault) []Rule {
	return append(OneWay(a, b, m, f), OneWay(b, a, m.Back(), f)...)
}

// Partition cuts each side off from each other side.
func Partition(sides ...[]string) (rules []Rule) {
	for i, side := range sides {
		for j, other := range sides {
			if i != j {
				rules = append(rules, OneWay(side, other, Match{}, Fault{Cut: true})...)
			}
		}
	}
	return rules
}
