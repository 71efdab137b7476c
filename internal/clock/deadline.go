package clock

import "time"

// Deadline is d from now as connections take it for their deadlines. Those of
// the machine's connections are kept by the runtime, by its own clock, even if
// Real has been put wrong; a test that has a clock of its own has connections
// of its own.
func Deadline(c Clock, d time.Duration) time.Time {
	if _, ok := c.(Real); ok {
		return time.Now().Add(d)
	}
	return c.Now().Add(d)
}
