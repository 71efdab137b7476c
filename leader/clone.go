package leader

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// maxClones bounds the alarms that are remembered, the newest ones.
const maxClones = 256

// crossings is how often a host's lease must have been renewed between the
// tries of another instance before that is an alarm. An agent that was started
// anew meets one late message of its former life, and not two.
const crossings = 2

// Clone is the alarm that two machines say to be the same host. The one that has
// the lease keeps it, the other one gets none.
type Clone struct {
	Host string
	// Holder has the lease, and Rival wants it.
	Holder, Rival string
	// Count is how often both were heard in turn; First and Last are when, by
	// the wall clock.
	Count       int
	First, Last time.Time
}

// cross notes that the holder renewed after a rival had tried.
func (r *Register) cross(host string, t *tenant) {
	if t.crossed < crossings {
		return
	}
	now := r.c.Clock.Now()
	c := r.clones[host]
	if c == nil {
		r.room()
		c = &Clone{Host: host, First: now}
		r.clones[host] = c
		r.c.Log.Error("two machines say to be the same host", "host", host, "holder", t.instance, "rival", t.rival)
	}
	c.Holder, c.Rival, c.Last = t.instance, t.rival, now
	c.Count++
}

// room makes room for one more alarm.
func (r *Register) room() {
	if len(r.clones) < maxClones {
		return
	}
	var oldest *Clone
	for _, c := range r.clones {
		if oldest == nil || c.Last.Before(oldest.Last) || c.Last.Equal(oldest.Last) && c.Host < oldest.Host {
			oldest = c
		}
	}
	delete(r.clones, oldest.Host)
}

// Rival tells whether another machine than the instance's holds the host's lease,
// as far as this voter knows: what the instance says of the host is not to be
// heard then, or a copy of a disk would speak for the machine that it was taken
// from. Lives of one machine follow each other, so a new one is heard at once,
// unless the old one goes on.
func (r *Register) Rival(host, instance string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.hosts[host]
	if t == nil || instance == "" || t.instance == "" || t.instance == instance || r.c.Clock.Mono()-t.granted > r.c.Lease*12/10 {
		return false
	}
	return machine(t.instance) != machine(instance) || t.crossed >= crossings
}

// machine is the part of an instance's name that lives of one machine share
// between two boots.
func machine(instance string) string {
	if i := strings.LastIndexByte(instance, '/'); i >= 0 {
		return instance[:i]
	}
	return instance
}

// Clones lists the alarms, by host.
func (r *Register) Clones() []Clone {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Clone, 0, len(r.clones))
	for _, c := range r.clones {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Clone) int { return cmp.Compare(a.Host, b.Host) })
	return out
}
