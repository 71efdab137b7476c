package assign

import (
	"cmp"
	"reflect"
	"slices"
)

// Sheet is a Desired with the sums of its items. It must not be changed: make
// another one.
type Sheet struct {
	Desired
	Sums Sums
}

// NewSheet sums d up, and gives it the digest that follows.
func NewSheet(d Desired) Sheet { return Sheet{}.Renew(d) }

// Renew is NewSheet for a d that shares much with s: what did not change is
// not encoded again.
func (s Sheet) Renew(d Desired) Sheet {
	out := Sheet{Desired: d}
	d.items(func(ref Ref, value any) {
		sum, ok := s.Sums.Find(ref)
		if old := s.value(ref); !ok || old == nil || !reflect.DeepEqual(old, value) {
			_, sum = encode(ref, value)
		}
		out.Sums = append(out.Sums, sum)
	})
	slices.SortFunc(out.Sums, func(a, b Sum) int { return compareRefs(a.Ref, b.Ref) })
	out.Digest = out.Sums.Digest()
	return out
}

// Item gives an item with its body; one without a body if it is not there.
func (s Sheet) Item(ref Ref) Item {
	value := s.value(ref)
	if value == nil {
		return Item{Ref: ref}
	}
	body, sum := encode(ref, value)
	item := sum.Name()
	item.Body = body
	return item
}

// items yields every item, each as a pointer to what must not be changed.
func (d *Desired) items(yield func(Ref, any)) {
	yield(Ref{HeadItem, d.HostID}, d.head())
	for i := range d.Guests {
		yield(Ref{GuestItem, d.Guests[i].ID}, &d.Guests[i])
	}
	for i := range d.Networks {
		yield(Ref{NetworkItem, d.Networks[i].ID}, &d.Networks[i])
	}
	for i := range d.Routers {
		yield(Ref{RouterItem, d.Routers[i].ID}, &d.Routers[i])
	}
}

// head is d without its lists, Index and Digest. A field that is added to
// Desired is part of the head by that.
func (d *Desired) head() *Desired {
	h := *d
	h.Index, h.Digest = 0, ""
	h.Guests, h.Networks, h.Routers = nil, nil, nil
	return &h
}

// value finds an item, as a pointer; nil if it is not there.
func (d *Desired) value(ref Ref) any {
	switch {
	case ref.Kind == HeadItem && ref.ID == d.HostID:
		return d.head()
	case ref.Kind == GuestItem:
		return find(d.Guests, ref.ID, guestID)
	case ref.Kind == NetworkItem:
		return find(d.Networks, ref.ID, networkID)
	case ref.Kind == RouterItem:
		return find(d.Routers, ref.ID, routerID)
	}
	return nil
}

func guestID(g *Guest) string     { return g.ID }
func networkID(n *Network) string { return n.ID }
func routerID(r *Router) string   { return r.ID }

// find looks for an id in a list that is ordered by it.
func find[T any](list []T, id string, of func(*T) string) any {
	i, ok := slices.BinarySearchFunc(list, id, func(x T, id string) int { return cmp.Compare(of(&x), id) })
	if !ok {
		return nil
	}
	return &list[i]
}
