package gossip

import (
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// TestChangedTellsOfTheLastState: a node joins, goes, and joins at another
// address within one quiet period. There is one wake-up, and after it the list
// shows the last of these; whoever believed the events would think of a join
// that he knew already.
func TestChangedTellsOfTheLastState(t *testing.T) {
	now := clock.NewFake(time.Unix(1000, 0))
	cfg := calm("n1")
	cfg.Clock = now
	n1 := open(t, cfg)
	eventually(t, "the first change", func() bool { return now.Waiting() == 1 })
	woken := n1.Changed()
	now.Advance(time.Minute)
	<-woken // the node itself is on its list

	quiet := n1.Changed()
	n2 := open(t, calm("n2"))
	join(t, n2, n1)
	eventually(t, "n2", func() bool { return find(n1, "n2").Address == n2.Addr() })
	if err := n2.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "n2's farewell", func() bool { return find(n1, "n2").Status == Left })
	again := open(t, calm("n2"))
	join(t, again, n1)
	eventually(t, "n2 at its new address", func() bool { return find(n1, "n2").Address == again.Addr() })
	select {
	case <-quiet:
		t.Fatal("woken though the quiet period lasts")
	default:
	}
	eventually(t, "a wake-up to be due", func() bool { return now.Waiting() == 1 })
	now.Advance(time.Minute)
	<-quiet
	select {
	case <-n1.Changed():
		t.Error("woken twice")
	default:
	}
}

// TestAlarmWakes: who watches alarms need not poll.
func TestAlarmWakes(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	shows(t, "n1 alive, n2 alive", pools...)
	clone := open(t, config("n2"))
	join(t, clone, pools[0])
	for {
		changed := pools[0].Changed()
		if len(pools[0].Alarms()) > 0 {
			return
		}
		select {
		case <-changed:
		case <-clock.Real{}.After(20 * time.Second):
			t.Fatal("an alarm woke nobody")
		}
	}
}

// TestManyWait: each waiter is woken, also one that comes late.
func TestManyWait(t *testing.T) {
	w := wake{ch: make(chan struct{})}
	a, b := w.wait(), w.wait()
	w.all()
	<-a
	<-b
	c := w.wait()
	select {
	case <-c:
		t.Fatal("woken by an old change")
	default:
	}
	w.all()
	<-c
}
