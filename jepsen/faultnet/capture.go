package faultnet

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// Decision is what the rules of a pair made of one packet, for the timeline of
// a run. A packet that no rule is for is not in it. One that was kept has
// another decision if a change of the rules made something else of it.
type Decision struct {
	// At is when, on the switch's clock (Mono), in nanoseconds.
	At   time.Duration `json:"at"`
	From string        `json:"from"`
	To   string        `json:"to"`
	// N is the packet's number in its pair, from 1.
	N       uint64 `json:"n"`
	Proto   string `json:"proto"`
	SrcPort uint16 `json:"src_port,omitempty"`
	DstPort uint16 `json:"dst_port,omitempty"`
	// Size is that of the IP packet, Payload that of what TCP or UDP carry.
	Size    int `json:"size"`
	Payload int `json:"payload,omitempty"`
	// Flags, as letters of "FSRPAU", and Seq are TCP's.
	Flags string `json:"flags,omitempty"`
	Seq   uint32 `json:"seq,omitempty"`
	// Fate is "pass", "hold", "drop", "cut" or "overflow".
	Fate string `json:"fate"`
	// Delay is how much later it leaves.
	Delay   time.Duration `json:"delay,omitempty"`
	Twice   bool          `json:"twice,omitempty"`
	Late    bool          `json:"late,omitempty"`
	Corrupt bool          `json:"corrupt,omitempty"`
}

// decided is a Decision in little space.
type decided struct {
	at, delay        time.Duration
	n                uint64
	seq              uint32
	srcPort, dstPort uint16
	size, payload    uint16
	number, flags    byte
	fate             fate
	overflow         bool
	twice, late      bool
	corrupt          bool
}

// capture is a ring of the last decisions of a lane.
type capture struct {
	bound int
	ring  []decided
	next  int
}

// note remembers a decision.
func (k *capture) note(now time.Duration, c *parcel, v verdict, ok bool) {
	if k.bound == 0 {
		return
	}
	p := &c.packet
	d := decided{at: now, n: c.n, seq: p.seq, srcPort: p.srcPort, dstPort: p.dstPort, size: uint16(p.size),
		payload: uint16(p.size - p.body), number: p.number, flags: p.flags, fate: v.fate, overflow: !ok}
	if v.fate == passes && ok {
		d.delay, d.twice, d.late, d.corrupt = c.due-now, v.twice, c.late >= 0, v.corrupt
	}
	if len(k.ring) < k.bound {
		k.ring = append(k.ring, d)
		return
	}
	k.ring[k.next] = d
	k.next = (k.next + 1) % k.bound
}

// decisions gives what the ring has, in order.
func (k *capture) decisions(p Pair) []Decision {
	var all []Decision
	for i := range k.ring {
		all = append(all, k.ring[(k.next+i)%len(k.ring)].show(p))
	}
	return all
}

func (d decided) show(p Pair) Decision {
	out := Decision{At: d.at, From: p.From, To: p.To, N: d.n, SrcPort: d.srcPort, DstPort: d.dstPort, Size: int(d.size), Seq: d.seq,
		Delay: d.delay, Twice: d.twice, Late: d.late, Corrupt: d.corrupt, Proto: "other"}
	switch d.number {
	case numberTCP:
		out.Proto, out.Payload = "tcp", int(d.payload)
	case numberUDP:
		out.Proto, out.Payload = "udp", int(d.payload)
	case 1:
		out.Proto = "icmp"
	}
	for i, letter := range "FSRPAU" {
		if d.flags&(1<<i) != 0 {
			out.Flags += string(letter)
		}
	}
	out.Fate = [...]string{passes: "pass", isHeld: "hold", isDropped: "drop", isCut: "cut"}[d.fate]
	if d.overflow {
		out.Fate = "overflow"
	}
	return out
}

// Captured gives the last decisions of each pair, by time.
func (s *Switch) Captured() []Decision {
	var all []Decision
	for _, l := range s.all() {
		all = append(all, l.decisions()...)
	}
	slices.SortStableFunc(all, func(a, b Decision) int { return int(a.At - b.At) })
	return all
}

// WriteCapture writes Captured as JSON, one decision a line.
func (s *Switch) WriteCapture(w io.Writer) error {
	enc := json.NewEncoder(w)
	for _, d := range s.Captured() {
		if err := enc.Encode(d); err != nil {
			return errs.E("faultnet.capture", errs.Internal, "", err)
		}
	}
	return nil
}
