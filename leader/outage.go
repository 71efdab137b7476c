package leader

import (
	"time"

	"github.com/kvorum/kvorum/fsm/state"
)

// The limits of an outage: so many hosts, and such a share of all, in hundredths,
// that went down within such a span and still are.
const (
	outageHosts = 3
	outageShare = 20
	outageSpan  = 10 * time.Minute
)

// Outage is how many of the hosts went down lately and still are.
type Outage struct {
	Down, Of int
}

// Alarm tells whether these are more than die by chance: more than three, and
// more than a fifth of all. Then it is rather something between them and the
// control nodes that failed, and nothing of theirs may be moved by itself.
func (o Outage) Alarm() bool { return o.Down > outageHosts && o.Down*100 > o.Of*outageShare }

// LookForOutage reads it from the state alone, so that every node and every
// later duty sees the same. wall is the time of day, Unix nanoseconds.
func LookForOutage(v state.View, wall int64) (o Outage) {
	for h := range v.Hosts() {
		o.Of++
		if h.Down && h.ChangedAt > wall-int64(outageSpan) {
			o.Down++
		}
	}
	return o
}
