package clock

import "time"

// SinceBoot is the machine's count of time since it was switched on, never put
// wrong by anybody: the same reading in every process of the machine, so that
// what several of them noted can be laid side by side.
func SinceBoot() time.Duration { return sinceBoot() }
