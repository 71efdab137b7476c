package faultnet

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/kvorum/kvorum/internal/errs"
)

// Member is a host whose packet filter a Filter uses.
type Member struct {
	Name string
	// Netns is the name of the host's network namespace, as `ip netns` knows it.
	Netns string
	// Addr is the host's IPv4 address: what comes from it is from the host.
	Addr netip.Addr
}

// Filter makes faults with nftables in the namespaces of the hosts, each at
// the one that receives. It knows Cut and Drop, by protocol and port; chance
// is the kernel's, and has no seed. It implements Network on whatever carries
// the packets; the rules of one receiver change at one moment, those of
// several one after another.
type Filter struct {
	members []Member

	mu    sync.Mutex
	rules map[string][]*stage // by receiver, in the order of their setting
}

// NewFilter puts a table of its own, and in it the counters, into each
// member's namespace. Needs root. Close removes them.
func NewFilter(ctx context.Context, members ...Member) (*Filter, error) {
	const op = "faultnet.filter"
	f := &Filter{members: members, rules: map[string][]*stage{}}
	for i, m := range members {
		again := slices.ContainsFunc(members[:i], func(o Member) bool { return o.Name == m.Name || o.Addr == m.Addr })
		if m.Name == "" || m.Netns == "" || !m.Addr.Is4() || again {
			return nil, errs.Errorf(op, errs.Invalid, "member %+v has no name, namespace or IPv4 address of its own", m)
		}
	}
	for _, m := range members {
		if err := f.load(ctx, m, nil); err != nil {
			return nil, errors.Join(err, f.Close(context.WithoutCancel(ctx)))
		}
	}
	return f, nil
}

// Apply implements Network.
func (f *Filter) Apply(ctx context.Context, rules ...Rule) error {
	const op = "faultnet.apply"
	f.mu.Lock()
	defer f.mu.Unlock()
	next := map[string][]*stage{}
	var order []Member
	for _, r := range rules {
		r, err := r.normal()
		if err != nil {
			return err
		}
		if r.ALPN != "" || (r.Fault != Fault{Cut: r.Cut, Drop: r.Drop}) {
			return errs.Errorf(op, errs.Unsupported, "a filter only cuts and drops, by protocol and port: %v", r)
		}
		to, known := f.member(r.To)
		if _, also := f.member(r.From); !known || !also {
			return errs.Errorf(op, errs.NotFound, "there is no member %q or no member %q", r.From, r.To)
		}
		if _, begun := next[to.Name]; !begun {
			next[to.Name] = f.rules[to.Name]
			order = append(order, to)
		}
		next[to.Name] = replace(next[to.Name], r, key{match: r.Match, from: r.From})
		if len(next[to.Name]) > maxRules*len(f.members) {
			return errs.Errorf(op, errs.Invalid, "%s has too many rules", to.Name)
		}
	}
	for _, m := range order {
		if err := f.load(ctx, m, next[m.Name]); err != nil {
			return err
		}
		f.rules[m.Name] = next[m.Name]
	}
	return nil
}

// Heal implements Network.
func (f *Filter) Heal(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		if len(f.rules[m.Name]) == 0 {
			continue
		}
		if err := f.load(ctx, m, nil); err != nil {
			return err
		}
		f.rules[m.Name] = nil
	}
	return nil
}

// Counters implements Network. Packets and Bytes are those that passed the
// filter to the host itself; Cut and Dropped are the other rows that it fills.
func (f *Filter) Counters(ctx context.Context) (map[Pair]Counts, error) {
	all := map[Pair]Counts{}
	for _, to := range f.members {
		read, err := counters(ctx, to.Netns)
		if err != nil {
			return nil, err
		}
		for i, from := range f.members {
			if from.Name == to.Name {
				continue
			}
			pass := read[counterName(passes, i)]
			all[Pair{from.Name, to.Name}] = Counts{Packets: pass.Packets, Bytes: pass.Bytes,
				Cut: read[counterName(isCut, i)].Packets, Dropped: read[counterName(isDropped, i)].Packets}
		}
	}
	return all, nil
}

// Close removes what the filter has put into the namespaces that still are
// there.
func (f *Filter) Close(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var failed []error
	for _, m := range f.members {
		// A table is made before it is deleted, so that it need not be there.
		failed = append(failed, nft(ctx, m.Netns, "table ip "+tableName+"\ndelete table ip "+tableName+"\n"))
	}
	return errors.Join(failed...)
}

func (f *Filter) member(name string) (Member, bool) {
	i := f.index(name)
	if i < 0 {
		return Member{}, false
	}
	return f.members[i], true
}

func (f *Filter) index(name string) int {
	return slices.IndexFunc(f.members, func(m Member) bool { return m.Name == name })
}

// load replaces the rules of one receiver.
func (f *Filter) load(ctx context.Context, to Member, rules []*stage) error {
	return nft(ctx, to.Netns, f.script(to, rules))
}
