package leader

import (
	"maps"
	"slices"
	"time"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
)

// Caller is the leader's side of the hosts' leases in one term: what it asks the
// voters, and what their answers come to. It does nothing itself, and is used by
// one goroutine.
//
// A host is called dead in two rounds. In the first a majority of the voters
// finds it silent; in the second a majority promises not to grant it, until told
// otherwise. From then on every question says to hold it, until the state has it
// as down, whatever became of the command in the meantime; and for as long as it
// is down. It is let go once the state has it as up.
type Caller struct {
	term, seq uint64
	lease     time.Duration
	// electorate is whom the answers came from, since when the leader has had
	// just that one.
	electorate assign.Electorate
	voters     []string
	since      time.Duration
	silent     []string
	ballot     Ballot
}

// Ballot is what the voters' answers come to. Both lists are ordered.
type Ballot struct {
	// Called are hosts that a majority has promised to hold: they hold no lease,
	// and get none until the leader lets them go.
	Called []string
	// Heard are other hosts that are held and that a majority has heard lately.
	Heard []string
}

// NewCaller begins a term. lease is how long a host's lease lasts.
func NewCaller(term uint64, lease time.Duration) *Caller {
	return &Caller{term: term, lease: lease}
}

// Ask makes the next question, and names the voters to put it to. v must show
// all that earlier terms did; now is the leader's monotone clock. No host is
// called dead before the leader has led with the same voters for as long as
// patience lasts: until then a host may still count by an older configuration.
func (c *Caller) Ask(v state.View, e assign.Electorate, now time.Duration) (PollRequest, []assign.Node) {
	voters := e.Voters()
	ids := make([]string, len(voters))
	for i, n := range voters {
		ids[i] = n.ID
	}
	if c.seq == 0 || e.Index != c.electorate.Index || !slices.Equal(ids, c.voters) {
		c.voters, c.since, c.silent, c.ballot.Heard = ids, now, nil, nil
	}
	c.electorate = e
	c.seq++
	q := PollRequest{Term: c.term, Seq: c.seq}
	c.ballot.Called = slices.DeleteFunc(c.ballot.Called, func(id string) bool { return !isUp(v, id) })
	q.Hold = slices.Clone(c.ballot.Called)
	for h := range v.Hosts() {
		if h.Down {
			q.Hold = append(q.Hold, string(h.ID))
		}
	}
	slices.Sort(q.Hold)
	if now-c.since > Patience(c.lease) {
		for _, id := range c.silent {
			if isUp(v, id) && !has(c.ballot.Called, id) {
				q.Promise = append(q.Promise, id)
			}
		}
	}
	return q, voters
}

// Count takes the answers to the question that was asked last, by voter.
func (c *Caller) Count(q PollRequest, answers map[string]PollAnswer) {
	if q.Seq != c.seq {
		return
	}
	silent, promised, heard := map[string]int{}, map[string]int{}, map[string]int{}
	for _, id := range c.voters {
		a, ok := answers[id]
		if !ok || a.Term != c.term {
			continue
		}
		tally(silent, a.Silent)
		tally(silent, a.Promised)
		tally(promised, a.Promised)
		tally(heard, a.Heard)
	}
	c.silent = c.majority(silent)
	called := c.ballot.Called
	for _, id := range c.majority(promised) {
		if has(q.Promise, id) {
			called = append(called, id)
		}
	}
	slices.Sort(called)
	c.ballot.Called = slices.Compact(called)
	c.ballot.Heard = slices.DeleteFunc(c.majority(heard), func(id string) bool { return has(c.ballot.Called, id) })
}

// Ballot is what the answers so far come to.
func (c *Caller) Ballot() Ballot {
	return Ballot{Called: slices.Clone(c.ballot.Called), Heard: slices.Clone(c.ballot.Heard)}
}

// majority lists, in order, what more than half of the voters said.
func (c *Caller) majority(count map[string]int) (out []string) {
	for _, id := range slices.Sorted(maps.Keys(count)) {
		if 2*count[id] > len(c.voters) {
			out = append(out, id)
		}
	}
	return out
}

// tally counts each name of one voter's list once.
func tally(count map[string]int, list []string) {
	for _, id := range slices.Compact(slices.Sorted(slices.Values(list))) {
		count[id]++
	}
}

func has(ordered []string, id string) bool {
	_, ok := slices.BinarySearch(ordered, id)
	return ok
}
