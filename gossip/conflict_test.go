package gossip

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/kvorum/kvorum/internal/clock"
)

func alarms(pools ...*Pool) (all []Alarm) {
	for _, p := range pools {
		all = append(all, p.Alarms()...)
	}
	return all
}

// TestCloneRaisesAnAlarmAndHarmsNobody: a host's disk is copied, so that a
// second process has its name and the key.
func TestCloneRaisesAnAlarmAndHarmsNobody(t *testing.T) {
	heard := &lines{}
	cfg := config("n1")
	cfg.Log = slog.New(slog.NewTextHandler(heard, &slog.HandlerOptions{Level: slog.LevelDebug}))
	pools := []*Pool{open(t, cfg), open(t, config("n2")), open(t, config("n3"))}
	join(t, pools[1], pools[0])
	join(t, pools[2], pools[0])
	shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	holder := pools[2]
	cfg = config("n3")
	cfg.Bind = "127.0.0.2:0"
	clone := open(t, cfg)
	join(t, clone, pools[0])

	want := Alarm{Name: "n3", Holder: holder.Addr(), Claimant: clone.Addr()}
	eventually(t, "an alarm that repeats", func() bool {
		for _, a := range pools[0].Alarms() {
			if a.Name == want.Name && a.Holder == want.Holder && a.Claimant == want.Claimant && a.Count >= 3 {
				return !a.Self && !a.First.IsZero() && a.Last.After(a.First)
			}
		}
		return false
	})
	eventually(t, "the clone's own alarm", func() bool {
		a := clone.Alarms()
		return len(a) == 1 && a[0].Self && a[0].Claimant == holder.Addr()
	})
	shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	for _, p := range pools {
		if got := find(p, "n3").Address; got != holder.Addr() {
			t.Errorf("%s sees n3 at %v, want %v", p.cfg.Name, got, holder.Addr())
		}
	}
	// The clone's farewell would be believed of the holder, so there is none.
	if err := clone.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	n4 := open(t, config("n4"))
	join(t, n4, holder)
	shows(t, "n1 alive, n2 alive, n3 alive, n4 alive", append(pools, n4)...)
	for _, p := range append(pools, n4) {
		if got := find(p, "n3"); got.Address != holder.Addr() || got.Status != Alive {
			t.Errorf("%s sees %+v, want it alive at %v", p.cfg.Name, got, holder.Addr())
		}
	}
	if heard.has("messageLeaveType: n3") {
		t.Error("the clone said farewell in the holder's name")
	}
}

func TestAlarmsAreBounded(t *testing.T) {
	now := clock.NewFake(time.Unix(1000, 0))
	poked := 0
	b := &alarmBook{clock: now, self: "me", book: map[alarmKey]*Alarm{}, poke: func() { poked++ }}
	node := func(name string, port int) *memberlist.Node {
		return &memberlist.Node{Name: name, Addr: net.IPv4(10, 0, 0, 1), Port: uint16(port)}
	}
	for i := range 2 * maxAlarms {
		now.Advance(time.Second)
		b.NotifyConflict(node(fmt.Sprintf("n%04d", i), 1), node("", 2))
		b.NotifyConflict(node("often", 1), node("", 2))
	}
	all := b.list()
	if len(all) != maxAlarms || poked != 4*maxAlarms {
		t.Fatalf("%d alarms, poked %d times", len(all), poked)
	}
	if first := all[0].Name; first != fmt.Sprintf("n%04d", maxAlarms+1) {
		t.Errorf("the oldest that is left is %s", first)
	}
	want := Alarm{
		Name: "often", Holder: netip.MustParseAddrPort("10.0.0.1:1"), Claimant: netip.MustParseAddrPort("10.0.0.1:2"),
		First: time.Unix(1001, 0), Last: time.Unix(1000+2*maxAlarms, 0), Count: 2 * maxAlarms,
	}
	if got := all[len(all)-1]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if b.contested() {
		t.Error("contested by others' trouble")
	}
	b.NotifyConflict(node("me", 1), node("", 2))
	if !b.contested() {
		t.Error("not contested right after an alarm about itself")
	}
	now.Advance(contestedFor)
	if b.contested() {
		t.Error("contested for ever")
	}
}
