package placement

import (
	"cmp"
	"hash/fnv"
	"slices"

	"github.com/kvorum/kvorum/internal/model"
)

// Request is what is to be placed.
type Request struct {
	ServerID model.ServerID
	Size     model.Size
	// Zone and HostName are asked for; empty is any.
	Zone, HostName string
	// Arch is the image's architecture.
	Arch string
}

// Decision is the chosen host; empty when none fits.
type Decision struct {
	HostID model.HostID
}

// Planner places one request after another on one look at the hosts: what it
// promised counts for the next. The hosts given to it are not changed.
type Planner struct {
	hosts []*model.Host
	index uint64
}

// NewPlanner makes a planner for the hosts as they were at index.
func NewPlanner(hosts []*model.Host, index uint64) *Planner {
	return &Planner{hosts: slices.Clone(hosts), index: index}
}

// Place decides on a request and counts the decision as promised.
func (p *Planner) Place(r Request) (Decision, Trace) {
	d, t := Place(p.hosts, r)
	t.Index = p.index
	for i, h := range p.hosts {
		if d.HostID != "" && h.ID == d.HostID {
			c := h.Clone()
			c.UsedVCPUs += r.Size.VCPUs
			c.UsedRAM += r.Size.RAM
			c.UsedDisk += r.Size.DiskTotal()
			c.Guests++
			p.hosts[i] = c
		}
	}
	return d, t
}

// Place chooses among the hosts that every filter lets through the one with
// the highest score.
func Place(hosts []*model.Host, r Request) (Decision, Trace) {
	t := Trace{Hosts: len(hosts), Refused: make([]int, len(Filters))}
	for _, h := range hosts {
		if i := refusedBy(h, r); i >= 0 {
			t.Refused[i]++
			continue
		}
		t.Best = append(t.Best, Scored{Host: h.Name, HostID: h.ID, Score: score(h), tie: tie(r.ServerID, h.ID)})
	}
	slices.SortFunc(t.Best, func(a, b Scored) int {
		return cmp.Or(-cmp.Compare(a.Score, b.Score), cmp.Compare(a.tie, b.tie), cmp.Compare(a.HostID, b.HostID))
	})
	if len(t.Best) == 0 {
		return Decision{}, t
	}
	d := Decision{HostID: t.Best[0].HostID}
	t.Best = slices.Clone(t.Best[:min(len(t.Best), 3)])
	return d, t
}

// refusedBy gives the number of the first filter that refuses a host; -1 if
// none does.
func refusedBy(h *model.Host, r Request) int {
	return slices.IndexFunc(Filters, func(f Filter) bool { return !f.Pass(h, r) })
}

func score(h *model.Host) (sum int64) {
	for _, w := range Weighers {
		sum += w.Weight * w.Score(h)
	}
	return sum
}

// tie orders equal hosts differently for each server.
func tie(s model.ServerID, h model.HostID) uint64 {
	f := fnv.New64a()
	f.Write([]byte(s))
	f.Write([]byte{0})
	f.Write([]byte(h))
	// FNV's last bytes barely reach the high bits: mix once more.
	x := f.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}
