package sim

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// chance is one source of chance. Each purpose has its own, so that a new draw
// for one does not change the others.
type chance struct{ *rand.Rand }

func newChance(seed uint64, purpose uint64) chance {
	return chance{rand.New(rand.NewPCG(seed, purpose))}
}

// The purposes.
const (
	forOptions uint64 = iota + 1
	forNetwork
	forFaults
	forWork
	forIDs
	forLeases
)

// permille tells whether something happens that does so n times in a thousand.
func (c chance) permille(n int) bool { return n > 0 && c.IntN(1000) < n }

// span is a time from lo to hi.
func (c chance) span(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(c.Int64N(int64(hi-lo)+1))
}

// hex is an id of 32 hex digits.
func (c chance) hex() string { return fmt.Sprintf("%016x%016x", c.Uint64(), c.Uint64()) }

// uuid is a new id.
func (c chance) uuid() string {
	h := c.hex()
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
}
