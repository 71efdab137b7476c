package control_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func state(index uint64, guests ...assign.Guest) assign.Sheet {
	return assign.NewSheet(assign.Desired{ClusterID: "c", Incarnation: 1, Index: index, HostID: "host-1", Guests: guests})
}

// script is a control node that gives one answer after another, and notes the
// questions.
type script struct {
	t       *testing.T
	answers []func(http.ResponseWriter)
	asked   []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.asked = append(s.asked, strings.TrimSpace(q.Get("digest")+" "+q.Get("deltas")))
	if len(s.asked) > len(s.answers) {
		s.t.Errorf("asked once more: %s", r.URL)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	s.answers[len(s.asked)-1](w)
}

func (s *script) whole(d assign.Desired) {
	s.answers = append(s.answers, func(w http.ResponseWriter) { _, _ = io.WriteString(w, jsonOf(s.t, d)) })
}

func (s *script) delta(text string) {
	s.answers = append(s.answers, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/vnd.kvorum.delta+json")
		_, _ = io.WriteString(w, text)
	})
}

// TestDeltas: what is answered is the whole, whether the whole or a delta came.
func TestDeltas(t *testing.T) {
	one, two, three := state(1, assign.Guest{ID: "a"}), state(2, assign.Guest{ID: "a", Power: assign.Off}, assign.Guest{ID: "b"}), state(3, assign.Guest{ID: "b"})
	s := &script{t: t}
	s.whole(one.Desired)
	s.delta(jsonOf(t, assign.Diff(one.Sums, two)))
	s.delta(jsonOf(t, assign.Diff(two.Sums, three)))
	c := client(t, clock.Real{}, serve(t, s.ServeHTTP))
	digest := ""
	for _, want := range []assign.Sheet{one, two, three} {
		got, err := c.Desired(t.Context(), digest)
		if err != nil || !reflect.DeepEqual(got, want.Desired) {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, want.Desired)
		}
		digest = got.Digest
	}
	if want := []string{"", one.Digest + " 1", two.Digest + " 1"}; !reflect.DeepEqual(s.asked, want) {
		t.Errorf("asked %q, want %q", s.asked, want)
	}
}

// TestBadDelta: a delta that cannot be used makes the client ask once for the
// whole.
func TestBadDelta(t *testing.T) {
	one, two, three := state(1, assign.Guest{ID: "a"}), state(2, assign.Guest{ID: "a", Power: assign.Off}), state(3)
	good := jsonOf(t, assign.Diff(one.Sums, two))
	for name, bad := range map[string]string{
		"not JSON":               good[:len(good)/2],
		"an unknown field":       strings.Replace(good, `{"from"`, `{"since":1,"from"`, 1),
		"damaged":                strings.Replace(good, `"off"`, `"on"`, 1),
		"an unknown kind":        strings.Replace(good, `"kind":"guest"`, `"kind":"ghost"`, 1),
		"of something else":      jsonOf(t, assign.Diff(three.Sums, two)),
		"empty":                  "",
		"an item lost":           strings.Replace(good, `"put"`, `"drop":null,"puts"`, 1),
		"an old one once more":   jsonOf(t, assign.Diff(two.Sums, one)),
		"the whole, so labelled": jsonOf(t, two.Desired),
	} {
		s := &script{t: t}
		s.whole(one.Desired)
		s.delta(bad)
		s.whole(two.Desired)
		s.delta(jsonOf(t, assign.Diff(two.Sums, three)))
		c := client(t, clock.Real{}, serve(t, s.ServeHTTP))
		digest := ""
		for _, want := range []assign.Sheet{one, two, three} {
			got, err := c.Desired(t.Context(), digest)
			if err != nil || !reflect.DeepEqual(got, want.Desired) {
				t.Fatalf("%s: got %+v, %v\nwant %+v", name, got, err, want.Desired)
			}
			digest = got.Digest
		}
		if want := []string{"", one.Digest + " 1", "", two.Digest + " 1"}; !reflect.DeepEqual(s.asked, want) {
			t.Errorf("%s: asked %q, want %q", name, s.asked, want)
		}
	}
}

// TestRefusedAnswer: an answer that the agent did not take is no ground for the
// next delta; the one that it stands on still is.
func TestRefusedAnswer(t *testing.T) {
	one, two, three := state(1, assign.Guest{ID: "a"}), state(2, assign.Guest{ID: "a", Power: assign.Off}), state(3)
	s := &script{t: t}
	s.whole(one.Desired)
	s.delta(jsonOf(t, assign.Diff(one.Sums, two)))
	s.delta(jsonOf(t, assign.Diff(one.Sums, three)))
	c := client(t, clock.Real{}, serve(t, s.ServeHTTP))
	for _, ask := range []struct {
		digest string
		want   assign.Sheet
	}{{"", one}, {one.Digest, two}, {one.Digest, three}} {
		if got, err := c.Desired(t.Context(), ask.digest); err != nil || !reflect.DeepEqual(got, ask.want.Desired) {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, ask.want.Desired)
		}
	}
}

// TestWholeIsVerified: one that is not what its digest says is refused; one of
// a newer control plane, which says more than this agent knows, is taken, and
// no delta is asked for from there.
func TestWholeIsVerified(t *testing.T) {
	one := state(1, assign.Guest{ID: "a", Power: assign.On})
	s := &script{t: t}
	s.answers = append(s.answers, func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, strings.Replace(jsonOf(t, one.Desired), `"on"`, `"off"`, 1))
	})
	c := client(t, clock.Real{}, serve(t, s.ServeHTTP))
	if d, err := c.Desired(t.Context(), ""); !errs.Is(err, errs.Unavailable) {
		t.Errorf("damaged: %+v, %v", d, err)
	}

	newer := one.Desired
	newer.Digest = strings.Repeat("7", 64)
	s = &script{t: t}
	s.answers = append(s.answers, func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, strings.Replace(jsonOf(t, newer), `{"id":"a"`, `{"shiny":true,"id":"a"`, 1))
	}, func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) })
	c = client(t, clock.Real{}, serve(t, s.ServeHTTP))
	if d, err := c.Desired(t.Context(), ""); err != nil || !reflect.DeepEqual(d, newer) {
		t.Errorf("newer: %+v, %v", d, err)
	}
	if d, err := c.Desired(t.Context(), newer.Digest); err != nil || d.Digest != newer.Digest {
		t.Errorf("unchanged: %+v, %v", d, err)
	}
	if want := []string{"", newer.Digest}; !reflect.DeepEqual(s.asked, want) {
		t.Errorf("asked %q, want %q", s.asked, want)
	}
}
