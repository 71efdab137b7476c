package assign

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the goldens anew")

// drawDesired makes up a desired state whose items meet those of another one
// often, and are the same ones now and then.
func drawDesired(t *rapid.T) Desired {
	text := rapid.SampledFrom([]string{"", "a", "é <&>", "\u2028", "\xff broken"})
	d := Desired{ClusterID: "c", HostID: "h", Incarnation: rapid.Uint64Range(1, 2).Draw(t, "incarnation"), Index: rapid.Uint64().Draw(t, "index")}
	for i := range 5 {
		if !rapid.Bool().Draw(t, "has guest") {
			continue
		}
		g := Guest{ID: fmt.Sprintf("g%d", i), Power: On, Name: text.Draw(t, "name"), UserData: []byte(text.Draw(t, "user data"))}
		if rapid.Bool().Draw(t, "has metadata") {
			g.Metadata = map[string]string{"z": text.Draw(t, "z"), "a": "1", "m": "2"}
			g.Kernel = &Image{ID: "k", Size: rapid.Int64Range(0, 1).Draw(t, "size")}
			g.NICs = []NIC{{PortID: "p", Addresses: []string{"10.0.0.1"}}}
		}
		d.Guests = append(d.Guests, g)
	}
	for i := range 3 {
		if rapid.Bool().Draw(t, "has network") {
			d.Networks = append(d.Networks, Network{ID: fmt.Sprintf("n%d", i), MTU: rapid.IntRange(1, 2).Draw(t, "mtu")})
		}
		if rapid.Bool().Draw(t, "has router") {
			d.Routers = append(d.Routers, Router{ID: fmt.Sprintf("n%d", i), External: rapid.Bool().Draw(t, "external")})
		}
	}
	return travel(d)
}

// travel takes a desired state over the wire: what comes out is canonical.
func travel(d Desired) (out Desired) {
	b, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic(err)
	}
	return out
}

func deltaOverTheWire(d Delta) (out Delta) {
	b, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic(err)
	}
	return out
}

// TestDeltaLeadsThere: whatever the two are, the delta leads from one to the
// other, over the wire too; old stays as it is, and sums computed in steps are
// those computed at once.
func TestDeltaLeadsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDesired(t), drawDesired(t)
		old, now := NewSheet(a), NewSheet(b)
		if again := old.Renew(b); !reflect.DeepEqual(again, now) {
			t.Fatalf("renewed %+v\nanew %+v", again, now)
		}
		before := travel(old.Desired)
		delta := Diff(old.Sums, now)
		got, err := Apply(old, deltaOverTheWire(delta))
		if err != nil {
			t.Fatalf("%v\n%+v", err, delta)
		}
		if !reflect.DeepEqual(got, now) {
			t.Fatalf("got %+v\nwant %+v", got, now)
		}
		if got.Sum() != got.Digest || !reflect.DeepEqual(travel(old.Desired), before) {
			t.Fatalf("the digest is not that of the content, or old was changed")
		}
		if len(delta.Put)+len(delta.Drop) == 0 != (old.Digest == now.Digest) {
			t.Fatalf("equal digests of different content, or the other way round: %+v", delta)
		}
	})
}

// TestDamageIsSeen: whatever byte of a delta is changed on its way, it is
// refused or leads to the same.
func TestDamageIsSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, now := NewSheet(drawDesired(t)), NewSheet(drawDesired(t))
		b, err := json.Marshal(Diff(old.Sums, now))
		if err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		b[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		var damaged Delta
		if json.Unmarshal(b, &damaged) != nil {
			return
		}
		got, err := Apply(old, damaged)
		if err != nil {
			if !errors.Is(err, ErrMismatch) && !errors.Is(err, ErrNotUnderstood) {
				t.Fatal(err)
			}
			return
		}
		// The generation's index is the one thing that the digest does not cover.
		got.Index = now.Index
		if !reflect.DeepEqual(got, now) {
			t.Fatalf("taken for good:\n%s", b)
		}
	})
}

// TestRefusedDeltas: what does not fit or is not understood is refused, and
// says which of the two it is.
func TestRefusedDeltas(t *testing.T) {
	old := NewSheet(Desired{ClusterID: "c", HostID: "h", Incarnation: 1, Index: 4, Guests: []Guest{{ID: "g1"}, {ID: "g2"}}})
	now := NewSheet(Desired{ClusterID: "c", HostID: "h", Incarnation: 1, Index: 5, Guests: []Guest{{ID: "g2", Power: On}}})
	foreign := NewSheet(Desired{ClusterID: "c", HostID: "other", Incarnation: 1}).Item(Ref{HeadItem, "other"})
	crowded := foreign
	crowded.Body = json.RawMessage(`{"cluster_id":"c","incarnation":1,"index":9,"host_id":"other","digest":""}`)
	for _, c := range []struct {
		name   string
		change func(*Delta)
		want   error
	}{
		{"from elsewhere", func(d *Delta) { d.From = now.Digest }, ErrMismatch},
		{"to elsewhere", func(d *Delta) { d.To = old.Digest }, ErrMismatch},
		{"to another incarnation", func(d *Delta) { d.Incarnation = 2 }, ErrMismatch},
		{"an item less", func(d *Delta) { d.Put = nil }, ErrMismatch},
		{"a drop of what is not there", func(d *Delta) { d.Drop = append(d.Drop, Ref{GuestItem, "g9"}) }, ErrMismatch},
		{"another host's head", func(d *Delta) { d.Put = append(d.Put, foreign) }, ErrMismatch},
		{"no head", func(d *Delta) { d.Drop = append(d.Drop, Ref{HeadItem, "h"}) }, ErrNotUnderstood},
		{"a head with an index", func(d *Delta) { d.Put = append(d.Put, crowded) }, ErrNotUnderstood},
		{"a kind of the future", func(d *Delta) { d.Put[0].Kind = "volume" }, ErrNotUnderstood},
		{"a field of the future", func(d *Delta) {
			d.Put[0].Body = json.RawMessage(strings.Replace(string(d.Put[0].Body), `{"id"`, `{"shiny":1,"id"`, 1))
		}, ErrNotUnderstood},
		{"a digest over such a field", func(d *Delta) {
			_, sum := encode(d.Put[0].Ref, map[string]any{"id": "g2", "shiny": 1})
			d.Put[0] = sum.Name()
			d.Put[0].Body = json.RawMessage(`{"id":"g2","shiny":1}`)
		}, ErrNotUnderstood},
		{"no body", func(d *Delta) { d.Put[0].Body = nil }, ErrNotUnderstood},
		{"an item under another's id", func(d *Delta) { d.Put[0].ID = "g1" }, ErrNotUnderstood},
		{"an item twice", func(d *Delta) { d.Put = append(d.Put, d.Put[0]) }, ErrNotUnderstood},
		{"put and dropped", func(d *Delta) { d.Drop = append(d.Drop, Ref{GuestItem, "g2"}) }, ErrNotUnderstood},
	} {
		d := deltaOverTheWire(Diff(old.Sums, now))
		c.change(&d)
		if _, err := Apply(old, d); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestDigestIsOverTheContent: over all of it but the index, and not over the
// order in which somebody lists it.
func TestDigestIsOverTheContent(t *testing.T) {
	d := Desired{ClusterID: "c", HostID: "h", Incarnation: 1, Index: 3, Guests: []Guest{{ID: "a"}, {ID: "b"}}, Networks: []Network{{ID: "a"}}}
	sum := d.Sum()
	later := d
	later.Index, later.Digest = 9, "x"
	turned := d
	turned.Guests = []Guest{d.Guests[1], d.Guests[0]}
	if later.Sum() != sum || turned.Sum() != sum {
		t.Error("the digest depends on the index or on the order")
	}
	for name, change := range map[string]func(*Desired){
		"cluster":     func(d *Desired) { d.ClusterID = "x" },
		"incarnation": func(d *Desired) { d.Incarnation = 2 },
		"host":        func(d *Desired) { d.HostID = "x" },
		"guest":       func(d *Desired) { d.Guests = []Guest{{ID: "a"}, {ID: "b", UserData: []byte{0}}} },
		"a guest less": func(d *Desired) {
			d.Guests = d.Guests[:1]
		},
		"kinds": func(d *Desired) { d.Networks, d.Routers = nil, []Router{{ID: "a"}} },
	} {
		other := d
		change(&other)
		if other.Sum() == sum {
			t.Errorf("the digest does not cover: %s", name)
		}
	}
}

// TestApart: items can be taken out and put back, over a disk too; what was
// damaged there is seen, and what a newer version kept is taken as far as it
// goes.
func TestApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewSheet(drawDesired(t))
		var apart []Item
		for _, x := range s.Sums {
			if x.Kind != HeadItem && rapid.Bool().Draw(t, "apart") {
				apart = append(apart, s.Item(x.Ref))
			}
		}
		b, err := json.Marshal(apart)
		if err == nil {
			apart = nil
			err = json.Unmarshal(b, &apart)
		}
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Without(apart).Join(apart); err != nil || !reflect.DeepEqual(again, s.Desired) {
			t.Fatalf("%v: got %+v\nwant %+v", err, again, s.Desired)
		}
	})
	future := digestOf(Ref{GuestItem, "g"}, []byte(`{"id":"g","power":"on","shiny":1}`)).Name()
	future.Body = json.RawMessage(`{"id":"g","power":"on","shiny":1}`)
	if d, err := (Desired{}).Join([]Item{future}); err != nil || len(d.Guests) != 1 || d.Guests[0].Power != On {
		t.Errorf("a newer version's item: %+v, %v", d, err)
	}
	future.Body = json.RawMessage(`{"id":"g","power":"no","shiny":1}`)
	if _, err := (Desired{}).Join([]Item{future}); !errors.Is(err, ErrNotUnderstood) {
		t.Errorf("a damaged item: %v", err)
	}
}

// TestGolden holds the form of both answers on the wire.
func TestGolden(t *testing.T) {
	old := Desired{ClusterID: "00000000-0000-4000-8000-0000000000c1", Incarnation: 1, Index: 41, HostID: "00000000-0000-4000-8000-0000000000f1",
		Guests: []Guest{{ID: "00000000-0000-4000-8000-000000000001", Num: 1, Permit: 40, Power: On, Name: "web"},
			{ID: "00000000-0000-4000-8000-000000000002", Num: 2, Permit: 41, Power: Gone, Name: "old"}},
		Networks: []Network{{ID: "00000000-0000-4000-8000-0000000000e1", Segment: 1, MTU: 1450}}}
	now := travel(old)
	now.Index, now.Guests = 57, now.Guests[:1]
	now.Guests[0].RebootEpoch, now.Guests[0].UserData = 1, []byte("#cloud-config")
	now.Routers = []Router{{ID: "00000000-0000-4000-8000-0000000000e4", Num: 1, NetworkIDs: []string{"00000000-0000-4000-8000-0000000000e1"}}}
	was, is := NewSheet(old), NewSheet(now)
	for name, value := range map[string]any{"whole": is.Desired, "delta": Diff(was.Sums, is)} {
		got, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != string(got)+"\n" {
			t.Errorf("%s differs (%v); -update writes it anew; got\n%s", file, err, got)
		}
	}
	// What was recorded must be understood for ever.
	b, err := os.ReadFile(filepath.Join("testdata", "delta.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded Delta
	if err := json.Unmarshal(b, &recorded); err != nil {
		t.Fatal(err)
	}
	if got, err := Apply(was, recorded); err != nil || !reflect.DeepEqual(got, is) {
		t.Errorf("%v: %+v", err, got)
	}
}

// BenchmarkOneGuestChanges is what a change of one of 100 guests costs with
// nothing known before, and with what was.
func BenchmarkOneGuestChanges(b *testing.B) {
	d := Desired{ClusterID: "c", HostID: "h", Incarnation: 1}
	for i := range 100 {
		d.Guests = append(d.Guests, Guest{ID: fmt.Sprintf("g%03d", i), UserData: make([]byte, 16<<10), Metadata: map[string]string{"a": "b"},
			Key: &Key{PublicKey: strings.Repeat("k", 500)}, NICs: []NIC{{PortID: "p", Addresses: []string{"10.0.0.1"}}}})
	}
	old := NewSheet(d)
	changed := travel(d)
	changed.Guests[7].RebootEpoch++
	b.Run("anew", func(b *testing.B) {
		for b.Loop() {
			NewSheet(changed)
		}
	})
	b.Run("renew", func(b *testing.B) {
		for b.Loop() {
			old.Renew(changed)
		}
	})
	delta := Diff(old.Sums, old.Renew(changed))
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			if _, err := Apply(old, delta); err != nil {
				b.Fatal(err)
			}
		}
	})
}
