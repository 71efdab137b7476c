package gossip

import (
	"sync/atomic"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"

	"github.com/kvorum/kvorum/internal/errs"
)

// filter stands between memberlist and Serf, and is the list of what others
// may make this node do: appear in, change and vanish from the list of
// members. User events, queries (by which Serf changes keys), relayed packets
// and prunes are ignored, whoever sends them: having the key of a pool is no
// right to command its members.
//
// It implements memberlist's Delegate, EventDelegate and ConflictDelegate.
type filter struct {
	memberlist.Delegate
	*alarmBook
	events  memberlist.EventDelegate
	roster  *roster
	closed  atomic.Bool
	ignored atomic.Uint64
}

// wrap puts the filter in front of Serf's delegates. Serf sets those itself,
// right before it makes memberlist, so there is one moment for this: when
// memberlist asks its transport for its address, in the same goroutine, before
// it starts any.
func (f *filter) wrap(c *memberlist.Config) {
	f.Delegate, f.events = c.Delegate, c.Events
	c.Delegate, c.Events, c.Conflict = f, f, f
}

// NotifyMsg implements memberlist.Delegate.
func (f *filter) NotifyMsg(b []byte) {
	if f.closed.Load() || !f.fit(b) {
		f.ignored.Add(1)
		return
	}
	f.Delegate.NotifyMsg(b)
}

// fit takes words of coming and going about members. One about a stranger is
// dropped, or the memory of them would grow with every name that is made up;
// who was not heard of yet will be heard of with the next exchange of lists.
func (f *filter) fit(b []byte) bool {
	if len(b) == 0 || b[0] != leaveIntent && b[0] != joinIntent {
		return false
	}
	var i intent
	return decode(b[1:], &i) == nil && !i.Prune && f.roster.has(i.Node)
}

// MergeRemoteState implements memberlist.Delegate.
func (f *filter) MergeRemoteState(b []byte, join bool) {
	clean, ok := f.clean(b)
	if f.closed.Load() || !ok {
		f.ignored.Add(1)
		return
	}
	f.Delegate.MergeRemoteState(clean, join)
}

// clean takes user events and strangers out of an exchange.
func (f *filter) clean(b []byte) ([]byte, bool) {
	if len(b) == 0 || b[0] != pushPull {
		return nil, false
	}
	var in exchange
	if decode(b[1:], &in) != nil {
		return nil, false
	}
	out := exchange{LTime: in.LTime, StatusLTimes: map[string]uint64{}}
	for name, t := range in.StatusLTimes {
		if f.roster.has(name) {
			out.StatusLTimes[name] = t
		}
	}
	for _, name := range in.LeftMembers {
		if f.roster.has(name) {
			out.LeftMembers = append(out.LeftMembers, name)
		}
	}
	clean, err := encode(pushPull, out)
	return clean, err == nil
}

// NotifyJoin implements memberlist.EventDelegate. After Close nobody reads
// Serf's events, so it is told nothing more.
func (f *filter) NotifyJoin(n *memberlist.Node) {
	if !f.closed.Load() {
		f.roster.add(n.Name)
		f.events.NotifyJoin(n)
	}
}

// NotifyLeave implements memberlist.EventDelegate.
func (f *filter) NotifyLeave(n *memberlist.Node) {
	if !f.closed.Load() {
		f.events.NotifyLeave(n)
	}
}

// NotifyUpdate implements memberlist.EventDelegate.
func (f *filter) NotifyUpdate(n *memberlist.Node) {
	if !f.closed.Load() {
		f.events.NotifyUpdate(n)
	}
}

// NotifyMerge implements serf.MergeDelegate: it is asked about every word that
// a node is alive, and refuses new ones when the pool is full. A whole list is
// always taken; what is in it comes by here again one by one. Serf itself
// looks at names and lengths first because there is such a delegate.
func (f *filter) NotifyMerge(list []*serf.Member) error {
	if len(list) == 1 && !f.roster.room(list[0].Name) {
		f.ignored.Add(1)
		return errs.Errorf("gossip.admit", errs.TooLarge, "%d members are the most", f.roster.max)
	}
	return nil
}
