package assign

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// ItemKind says what an item of a Desired is.
type ItemKind string

// The kinds of items. HeadItem is everything of a Desired but its lists, its
// Index and its Digest; its id is the host's.
const (
	HeadItem    ItemKind = "head"
	GuestItem   ItemKind = "guest"
	NetworkItem ItemKind = "network"
	RouterItem  ItemKind = "router"
)

// Ref names one item of a Desired.
type Ref struct {
	Kind ItemKind `json:"kind"`
	ID   string   `json:"id"`
}

func compareRefs(a, b Ref) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

// appendTo writes the name so that no other one reads the same.
func (r Ref) appendTo(b []byte) []byte {
	b = append(strconv.AppendQuote(b, string(r.Kind)), ' ')
	return strconv.AppendQuote(b, r.ID)
}

// Item is one part of a Desired as it travels and lies on disk.
type Item struct {
	Ref
	// Digest is over the item's kind, id and encoding, in hex.
	Digest string `json:"digest"`
	// Body is the item's encoding; without one the item is only named.
	Body json.RawMessage `json:"body,omitempty"`
}

// Sum is what is known of an item without having it: its digest, and the Size
// of its encoding in bytes.
type Sum struct {
	Ref
	Digest [sha256.Size]byte
	Size   int
}

// Name is the item without its body.
func (s Sum) Name() Item { return Item{Ref: s.Ref, Digest: hex.EncodeToString(s.Digest[:])} }

// Sums are those of all items of a Desired, ordered by kind and id.
type Sums []Sum

// Digest is a Desired's digest, made from those of its items: when one of them
// changes, the others need not be encoded for it.
func (s Sums) Digest() string {
	text := make([]byte, 0, 32+128*len(s))
	text = append(text, "kvorum desired 1\n"...)
	for _, x := range s {
		text = append(x.appendTo(text), ' ')
		text = append(hex.AppendEncode(text, x.Digest[:]), '\n')
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Find gives the sum of an item, and whether there is one.
func (s Sums) Find(ref Ref) (Sum, bool) {
	i, ok := slices.BinarySearchFunc(s, ref, func(x Sum, r Ref) int { return compareRefs(x.Ref, r) })
	if !ok {
		return Sum{}, false
	}
	return s[i], true
}

// ErrNotUnderstood is an item that cannot be taken as it is meant: its kind is
// not known, it has fields that are not, or it is not what its digest says.
var ErrNotUnderstood = errors.New("assign: an item is not understood")

// encode gives an item's encoding with its sum. It is canonical: fields in
// order, maps sorted by key. A field that is added to a type must be left out
// when it is empty, so that a program that does not know it yet computes the
// same digest.
func encode(ref Ref, value any) ([]byte, Sum) {
	b, err := json.Marshal(value)
	if err != nil {
		// Only channels, functions and cycles fail to marshal; the types have none.
		panic("assign: item does not encode: " + err.Error())
	}
	return b, digestOf(ref, b)
}

func digestOf(ref Ref, body []byte) Sum {
	h := sha256.New()
	h.Write(append(ref.appendTo(nil), ' '))
	h.Write(body)
	s := Sum{Ref: ref, Size: len(body)}
	h.Sum(s.Digest[:0])
	return s
}

// understand decodes an item. It is understood if it has known fields only
// and, encoded again, its digest: so nothing of it was overlooked.
func (i Item) understand() (any, Sum, error) {
	value, id, err := i.decode(strictly)
	if err != nil {
		return nil, Sum{}, fmt.Errorf("%w: %s %q: %v", ErrNotUnderstood, i.Kind, i.ID, err)
	}
	_, sum := encode(i.Ref, value)
	if id() != i.ID || sum.Name().Digest != i.Digest {
		return nil, Sum{}, fmt.Errorf("%w: %s %q has another id or digest than it says", ErrNotUnderstood, i.Kind, i.ID)
	}
	return value, sum, nil
}

// open decodes an item as far as it is understood, if its bytes are those that
// its digest is over.
func (i Item) open() (any, error) {
	if digestOf(i.Ref, i.Body).Name().Digest != i.Digest {
		return nil, fmt.Errorf("%w: %s %q is damaged", ErrNotUnderstood, i.Kind, i.ID)
	}
	value, id, err := i.decode(json.Unmarshal)
	if err == nil && id() != i.ID {
		err = errors.New("it has another id")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s %q: %v", ErrNotUnderstood, i.Kind, i.ID, err)
	}
	return value, nil
}

func (i Item) decode(unmarshal func([]byte, any) error) (value any, id func() string, err error) {
	switch i.Kind {
	case HeadItem:
		d := &Desired{}
		err = unmarshal(i.Body, d)
		if err == nil && (d.Index != 0 || d.Digest != "" || len(d.Guests)+len(d.Networks)+len(d.Routers) > 0) {
			err = errors.New("it has more than a head has")
		}
		return d, func() string { return d.HostID }, err
	case GuestItem:
		g := &Guest{}
		return g, func() string { return g.ID }, unmarshal(i.Body, g)
	case NetworkItem:
		n := &Network{}
		return n, func() string { return n.ID }, unmarshal(i.Body, n)
	case RouterItem:
		r := &Router{}
		return r, func() string { return r.ID }, unmarshal(i.Body, r)
	}
	return nil, nil, errors.New("there is no such kind")
}

func strictly(b []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
