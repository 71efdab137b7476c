package assign

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Delta leads from one Desired of a host to a later one.
type Delta struct {
	// From is the digest of what it is to be applied to, To that of what must
	// come of it.
	From string `json:"from"`
	To   string `json:"to"`
	// Incarnation and Index are the generation of what comes of it.
	Incarnation uint64 `json:"incarnation"`
	Index       uint64 `json:"index"`
	// Put are items that are new or changed, whole; Drop those that are gone.
	Put  []Item `json:"put,omitempty"`
	Drop []Ref  `json:"drop,omitempty"`
}

// ErrMismatch is a Delta that does not fit: it leads from, or to, something
// else. Ask for the whole.
var ErrMismatch = errors.New("assign: the delta does not fit")

// Diff is the way from what has the sums old to now. Nothing more need be
// known of the old one.
func Diff(old Sums, now Sheet) Delta {
	d := Delta{From: old.Digest(), To: now.Sums.Digest(), Incarnation: now.Incarnation, Index: now.Index}
	for _, s := range now.Sums {
		if was, ok := old.Find(s.Ref); !ok || was.Digest != s.Digest {
			d.Put = append(d.Put, now.Item(s.Ref))
		}
	}
	for _, s := range old {
		if _, ok := now.Sums.Find(s.Ref); !ok {
			d.Drop = append(d.Drop, s.Ref)
		}
	}
	return d
}

// Apply gives what d makes of old, which stays as it is. ErrMismatch: d does
// not fit old. ErrNotUnderstood: it has an item that is not understood.
// Whether the generation may be taken is not its business.
func Apply(old Sheet, d Delta) (Sheet, error) {
	if d.From != old.Digest {
		return Sheet{}, fmt.Errorf("%w: it leads from %.12s, and this is %.12s", ErrMismatch, d.From, old.Digest)
	}
	c, err := newChanges(d.Put, d.Drop)
	if err != nil {
		return Sheet{}, err
	}
	out := Sheet{Desired: c.desired(old.Desired), Sums: c.sums(old.Sums)}
	out.Index, out.Digest = d.Index, out.Sums.Digest()
	if c.dropped != len(d.Drop) || out.HostID != old.HostID || out.Incarnation != d.Incarnation || out.Digest != d.To {
		return Sheet{}, fmt.Errorf("%w: it leads to %.12s, and %.12s came of it", ErrMismatch, d.To, out.Digest)
	}
	return out, nil
}

// Without gives d less some items; Index and Digest stay.
func (d Desired) Without(items []Item) Desired {
	c := &changes{values: make(map[Ref]any, len(items))}
	for _, i := range items {
		c.values[i.Ref] = nil
	}
	return c.desired(d)
}

// Join puts items in that were kept apart; Index and Digest stay. They must be
// what their digests say, and are taken as far as they are understood: they may
// have been kept by a newer version. ErrNotUnderstood: one is damaged.
func (d Desired) Join(items []Item) (Desired, error) {
	c := &changes{values: make(map[Ref]any, len(items))}
	for _, i := range items {
		value, err := i.open()
		if err != nil {
			return Desired{}, err
		}
		c.values[i.Ref] = value
		c.put = append(c.put, Sum{Ref: i.Ref})
	}
	return c.desired(d), nil
}

// changes are the items of a change, understood. A nil value is an item to be
// dropped.
type changes struct {
	values  map[Ref]any
	put     Sums
	dropped int // how many sums were
}

func newChanges(put []Item, drop []Ref) (*changes, error) {
	c := &changes{values: make(map[Ref]any, len(put)+len(drop))}
	for _, item := range put {
		value, sum, err := item.understand()
		if err != nil {
			return nil, err
		}
		c.values[item.Ref] = value
		c.put = append(c.put, sum)
	}
	for _, ref := range drop {
		if ref.Kind == HeadItem {
			return nil, fmt.Errorf("%w: nothing is without a head", ErrNotUnderstood)
		}
		c.values[ref] = nil
	}
	if len(c.values) != len(put)+len(drop) {
		return nil, fmt.Errorf("%w: one is named twice", ErrNotUnderstood)
	}
	return c, nil
}

// desired applies the changes to d.
func (c *changes) desired(d Desired) Desired {
	out := d
	for _, s := range c.put {
		if h, ok := c.values[s.Ref].(*Desired); ok {
			out = *h
			out.Index, out.Digest = d.Index, d.Digest
		}
	}
	out.Guests = merge(c, GuestItem, d.Guests, guestID)
	out.Networks = merge(c, NetworkItem, d.Networks, networkID)
	out.Routers = merge(c, RouterItem, d.Routers, routerID)
	return out
}

// merge applies the changes of one kind to a list.
func merge[T any](c *changes, kind ItemKind, list []T, id func(*T) string) []T {
	var out []T
	for i := range list {
		if _, changed := c.values[Ref{kind, id(&list[i])}]; !changed {
			out = append(out, list[i])
		}
	}
	for _, s := range c.put {
		if s.Kind == kind {
			out = append(out, *c.values[s.Ref].(*T))
		}
	}
	slices.SortFunc(out, func(a, b T) int { return cmp.Compare(id(&a), id(&b)) })
	return out
}

// sums applies the changes to the sums.
func (c *changes) sums(old Sums) Sums {
	out := make(Sums, 0, len(old)+len(c.put))
	for _, s := range old {
		value, changed := c.values[s.Ref]
		switch {
		case !changed:
			out = append(out, s)
		case value == nil:
			c.dropped++
		}
	}
	out = append(out, c.put...)
	slices.SortFunc(out, func(a, b Sum) int { return compareRefs(a.Ref, b.Ref) })
	return out
}
