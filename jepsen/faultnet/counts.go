package faultnet

// Pair is a direction: from one port to another.
type Pair struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// String shows the pair as "from→to".
func (p Pair) String() string { return p.From + "→" + p.To }

// MarshalText lets a map by Pair be written as JSON, with String as the key.
func (p Pair) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Counts are what has become of the packets of a pair. A packet may count in
// several rows: one that was delayed and repeated is delivered twice.
type Counts struct {
	// Packets and Bytes were delivered, copies too; bytes of IP.
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	// Cut and Dropped are lost, by a cut or by chance.
	Cut     uint64 `json:"cut,omitempty"`
	Dropped uint64 `json:"dropped,omitempty"`
	// Delayed left later than they came, by a delay or a rate.
	Delayed uint64 `json:"delayed,omitempty"`
	// Duplicated are packets of which a second copy was sent.
	Duplicated uint64 `json:"duplicated,omitempty"`
	// Reordered were in fact overtaken by later packets of the same rule.
	Reordered uint64 `json:"reordered,omitempty"`
	// Corrupted had a bit flipped.
	Corrupted uint64 `json:"corrupted,omitempty"`
	// Held were kept until a rule let them go.
	Held uint64 `json:"held,omitempty"`
	// Overflow are lost because a queue or the pair's bound was full.
	Overflow uint64 `json:"overflow,omitempty"`
	// Lost could not be given to the host: its link was down, or gone.
	Lost uint64 `json:"lost,omitempty"`
	// Waiting are held or on their way now.
	Waiting int `json:"waiting,omitempty"`
}

// Since gives what was added to an earlier reading; Waiting stays that of now.
func (c Counts) Since(earlier Counts) Counts {
	c.Packets -= earlier.Packets
	c.Bytes -= earlier.Bytes
	c.Cut -= earlier.Cut
	c.Dropped -= earlier.Dropped
	c.Delayed -= earlier.Delayed
	c.Duplicated -= earlier.Duplicated
	c.Reordered -= earlier.Reordered
	c.Corrupted -= earlier.Corrupted
	c.Held -= earlier.Held
	c.Overflow -= earlier.Overflow
	c.Lost -= earlier.Lost
	return c
}

// Visible counts what faults have done to packets: zero means that the rules
// of the pair have had no effect.
func (c Counts) Visible() uint64 {
	return c.Cut + c.Dropped + c.Delayed + c.Duplicated + c.Reordered + c.Corrupted + c.Held + c.Overflow
}
