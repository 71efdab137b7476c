package faultnet

import (
	"context"

	"github.com/kvorum/kvorum/internal/errs"
)

// Apply implements Network. All pairs change at one moment: no packet sees
// some of the rules without the others.
func (s *Switch) Apply(_ context.Context, rules ...Rule) error {
	return s.apply(rules, false)
}

// Heal implements Network. It ends a partition by Part, too.
func (s *Switch) Heal(context.Context) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.change(map[*lane][]*stage{}, s.all())
	return nil
}

// Part cuts each side off from each other side, beside all rules, and takes
// the place of an earlier Part. Without sides it only ends that one. NotFound
// if a side names nobody.
func (s *Switch) Part(sides ...[]string) error {
	return s.apply(Partition(sides...), true)
}

// Counters implements Network.
func (s *Switch) Counters(context.Context) (map[Pair]Counts, error) {
	all := map[Pair]Counts{}
	for _, l := range s.all() {
		all[l.pair] = l.read()
	}
	return all, nil
}

// Strays counts the packets that belonged to no pair.
func (s *Switch) Strays() Strays {
	return Strays{s.strays.ipv6.Load(), s.strays.noRoute.Load(), s.strays.malformed.Load()}
}

// Missed tells for each port how many packets the kernel has lost before the
// switch could read them, because the machine was too busy: since its link was
// made. No rule accounts for these.
func (s *Switch) Missed() (map[string]uint64, error) {
	s.mu.Lock()
	devices := map[string]*device{}
	for name, p := range s.ports {
		if d := p.device.Load(); d != nil {
			devices[name] = d
		}
	}
	s.mu.Unlock()
	all := map[string]uint64{}
	for name, d := range devices {
		n, err := d.missed()
		if err != nil {
			return nil, errs.E("faultnet.missed", errs.Internal, "", err)
		}
		all[name] = n
	}
	return all, nil
}

// apply works out the stages of each pair that changes, and only then changes
// any.
func (s *Switch) apply(rules []Rule, partition bool) error {
	const op = "faultnet.apply"
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.closed {
		return errs.Errorf(op, errs.Conflict, "the switch is closed")
	}
	next := map[*lane][]*stage{}
	var lanes []*lane
	if partition {
		for _, l := range s.all() {
			k := key{partition: true}
			next[l] = replace(l.stages, Rule{}, k)
			if len(next[l]) < len(l.stages) {
				lanes = append(lanes, l)
			}
		}
	}
	for _, r := range rules {
		r, err := r.normal()
		if err != nil {
			return err
		}
		l, err := s.named(r.From, r.To)
		if err != nil {
			return err
		}
		if _, begun := next[l]; !begun {
			next[l] = l.stages
		}
		lanes = append(lanes, l)
		next[l] = replace(next[l], r, key{match: r.Match, partition: partition})
		if len(next[l]) > maxRules {
			return errs.Errorf(op, errs.Invalid, "the pair %v has more than %d rules", l.pair, maxRules)
		}
	}
	s.change(next, lanes)
	return nil
}

// change puts the stages in force on the lanes, which may be named twice, all
// at one moment.
func (s *Switch) change(next map[*lane][]*stage, lanes []*lane) {
	locked := map[*lane]bool{}
	for _, l := range lanes {
		if !locked[l] {
			locked[l] = true
			l.mu.Lock()
			defer l.mu.Unlock()
		}
	}
	for l := range locked {
		l.change(next[l])
	}
}

func (s *Switch) named(from, to string) (*lane, error) {
	s.mu.Lock()
	a, b := s.ports[from], s.ports[to]
	s.mu.Unlock()
	if a == nil || b == nil {
		return nil, errs.Errorf("faultnet.apply", errs.NotFound, "there is no port %q or no port %q", from, to)
	}
	return s.lane(a, b), nil
}
