package agentapi

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

// TestAnswers: nothing for what has not changed, a delta for what is known, and
// the whole for anything else; secrets are open in each, and covered by the
// digest.
func TestAnswers(t *testing.T) {
	c := newCloud(t, 1)
	n := c.nodes[0]
	c.grow("#cloud-config")
	one := n.whole(theHost)
	if len(one.Guests) != 1 || string(one.Guests[0].UserData) != "#cloud-config" || one.Index != n.machine.View().Index {
		t.Fatalf("the whole: %+v", one.Desired)
	}
	if a := n.ask(theHost, one.Digest, 0, true); a.status != http.StatusNoContent {
		t.Errorf("unchanged: %s", a)
	}
	c.reboot()
	a := n.ask(theHost, one.Digest, 0, true)
	two := c.follow(one, a)
	if len(a.delta.Put) != 1 || len(a.delta.Drop) != 0 || two.Guests[0].RebootEpoch != 1 || two.Digest != n.whole(theHost).Digest {
		t.Errorf("a delta: %s", a)
	}
	c.reboot()
	if three := c.follow(one, n.ask(theHost, one.Digest, 0, true)); three.Guests[0].RebootEpoch != 2 {
		t.Errorf("a delta over two: %+v", three.Desired)
	}
	if a := n.ask(theHost, one.Digest, 0, false); a.whole == nil {
		t.Errorf("for an agent that takes no deltas: %s", a)
	}
	if a := n.ask(theHost, strings.Repeat("7", 64), 0, true); a.whole == nil {
		t.Errorf("from what nobody knows: %s", a)
	}
	for range maxPast {
		c.reboot()
		n.whole(theHost)
	}
	if a := n.ask(theHost, one.Digest, 0, true); a.whole == nil {
		t.Errorf("from what was forgotten: %s", a)
	}
	c.must(root, &command.ServerDelete{ID: theTree})
	if gone := n.ask(theHost, n.whole(theHost).Digest, 0, true); gone.status != http.StatusNoContent {
		t.Errorf("gone: %s", gone)
	}
}

// TestBadQuestions are refused, and a host that is not registered is told so.
func TestBadQuestions(t *testing.T) {
	n := newCloud(t, 1).nodes[0]
	for _, c := range []struct {
		host   model.HostID
		wait   time.Duration
		status int
		kind   string
	}{
		{"../etc", 0, http.StatusBadRequest, "invalid"},
		{theHost, -time.Second, http.StatusBadRequest, "invalid"},
		{"00000000-0000-4000-8000-0000000000f9", 0, http.StatusNotFound, "not found"},
	} {
		if a := n.ask(c.host, "", c.wait, true); a.status != c.status || !strings.Contains(a.body, `"kind":"`+c.kind+`"`) {
			t.Errorf("%s %s: %s", c.host, c.wait, a)
		}
	}
}

// TestWatch: a question waits for what concerns the host, and for no longer
// than its time.
func TestWatch(t *testing.T) {
	c := newCloud(t, 1)
	n := c.nodes[0]
	c.grow("")
	one := n.whole(theHost)
	got := n.watch(theHost, one.Digest)
	c.must(root, command.Example("flavor.create/1"))
	c.reboot()
	two := c.follow(one, <-got)
	if two.Guests[0].RebootEpoch != 1 || two.Index <= one.Index {
		t.Errorf("told %+v", two.Desired)
	}
	got = n.watch(theHost, two.Digest)
	n.clock.Advance(maxWait)
	if a := <-got; a.status != http.StatusNoContent {
		t.Errorf("when the time was over: %s", a)
	}
}

// TestAnotherNode: nodes with equal state tell the same, secrets included; so
// each goes on from what another one told.
func TestAnotherNode(t *testing.T) {
	c := newCloud(t, 3)
	c.grow("#!/bin/sh")
	now := c.nodes[0].whole(theHost)
	for round := range 6 {
		n := c.nodes[(round+1)%3]
		got := n.watch(theHost, now.Digest) // told by the node before
		c.reboot()
		now = c.follow(now, <-got)
		if now.Guests[0].RebootEpoch != uint64(round+1) || string(now.Guests[0].UserData) != "#!/bin/sh" {
			t.Fatalf("round %d: %+v", round, now.Desired)
		}
	}
	for _, n := range c.nodes {
		if other := n.whole(theHost); !reflect.DeepEqual(other.Sums, now.Sums) {
			t.Errorf("nodes tell different things: %+v, %+v", other.Sums, now.Sums)
		}
	}
}

// TestWithoutLeader: a node that has none says so, whether there is news or
// not, and does not pass off what it knows for the truth.
func TestWithoutLeader(t *testing.T) {
	c := newCloud(t, 2)
	n := c.nodes[0]
	c.grow("")
	one := n.whole(theHost)
	n.lost.Store(true)
	n.lags.Store(true)
	refused := func(what string, a answer) {
		if a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, `"kind":"unavailable"`) {
			t.Errorf("%s: %s", what, a)
		}
	}
	refused("for the whole", n.ask(theHost, "", 0, true))
	got := n.watch(theHost, one.Digest)
	n.clock.Advance(maxWait)
	refused("when nothing seems to have changed", <-got)
	c.reboot()
	refused("when it does not know that something did", n.ask(theHost, one.Digest, 0, true))
	n.lost.Store(false)
	if two := c.follow(one, n.ask(theHost, one.Digest, 0, true)); two.Guests[0].RebootEpoch != 1 {
		t.Errorf("at a read point: %+v", two.Desired)
	}
}

// TestNewerThanTheFeed: a view that this node's feed has not told of yet is
// answered from, and does not spoil what is known.
func TestNewerThanTheFeed(t *testing.T) {
	c := newCloud(t, 1)
	n := c.nodes[0]
	c.grow("")
	behind := n.machine.View()
	b := newBoard(boardConfig{peek: func() state.View { return behind }, feed: n.machine.Feed(), tell: n.door.assigned, clock: n.clock, log: n.door.Log})
	k, err := b.sit(string(theHost))
	if err != nil {
		t.Fatal(err)
	}
	old, err := b.look(k, question{})
	if err != nil {
		t.Fatal(err)
	}
	c.reboot()
	now := n.machine.View()
	for range 2 {
		at, err := b.look(k, question{have: old.sheet.Digest, least: now})
		if err != nil || at.sheet == nil || at.sheet.Index != now.Index || at.sheet.Guests[0].RebootEpoch != 1 {
			t.Fatalf("told %+v, %v", at.sheet, err)
		}
	}
	behind = now
	at, err := b.look(k, question{have: old.sheet.Digest})
	if err != nil || at.sheet == nil || at.sheet.Guests[0].RebootEpoch != 1 {
		t.Fatalf("told %+v, %v", at.sheet, err)
	}
	if again, err := b.look(k, question{have: at.sheet.Digest, least: now}); err != nil || again.sheet != nil {
		t.Fatalf("told again %+v, %v", again.sheet, err)
	}
}

// TestRandomCloud: whatever happens, by deltas every host comes to know what it
// is to be told; and mostly it is told no more than what changed.
func TestRandomCloud(t *testing.T) {
	deltas, wholes, same := 0, 0, 0
	for seed := range uint64(6) {
		w := newRandom(t, seed)
		has := map[model.HostID]assign.Sheet{}
		for range 250 {
			w.some()
			n := w.c.nodes[w.Intn(len(w.c.nodes))]
			for h := range w.View().Hosts() {
				if w.Intn(3) > 0 {
					continue
				}
				old := has[h.ID]
				a := n.ask(h.ID, old.Digest, 0, old.Digest != "")
				switch {
				case a.delta != nil:
					deltas++
					has[h.ID] = w.c.follow(old, a)
				case a.whole != nil:
					wholes++
					has[h.ID] = assign.NewSheet(*a.whole)
				case a.status == http.StatusNoContent:
					same++
				default:
					t.Fatalf("seed %d: %s", seed, a)
				}
				want, err := n.door.assigned(w.View(), string(h.ID))
				if err != nil {
					t.Fatal(err)
				}
				want.Digest = want.Sum()
				got := has[h.ID].Desired
				if got.Index > w.View().Index || got.Digest != want.Digest || got.Sum() != want.Digest {
					t.Fatalf("seed %d, entry %d: host %s was told %s\ngot %+v\nwant %+v", seed, w.View().Index, h.ID, a, got, want)
				}
			}
		}
	}
	t.Logf("%d deltas, %d wholes, %d times nothing", deltas, wholes, same)
	if deltas < 80 || same < 300 {
		t.Error("that proves too little")
	}
}
