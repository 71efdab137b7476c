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

// alarms are those about names.
func alarms(pools ...*Pool) (all []Alarm) {
	for _, p := range pools {
		for _, a := range p.Alarms() {
			if a.Kind == NameConflict {
				all = append(all, a)
			}
		}
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

	want := Alarm{Kind: NameConflict, Name: "n3", Holder: holder.Addr(), Claimant: clone.Addr()}
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
	b := &alarmBook{clock: now, self: "me", book: map[alarmKey]*entry{}, poke: func() { poked++ }}
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
		Kind: NameConflict, Name: "often", Holder: netip.MustParseAddrPort("10.0.0.1:1"), Claimant: netip.MustParseAddrPort("10.0.0.1:2"),
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
	now.Advance(alarmFor)
	if b.contested() {
		t.Error("contested for ever")
	}
}

// TestOtherKeyIsAnAlarm: a node that has the label and another key is told
// from silence, on both sides, by packets and by streams.
func TestOtherKeyIsAnAlarm(t *testing.T) {
	heard := &lines{}
	cfg := config("n1")
	cfg.Log = slog.New(slog.NewTextHandler(heard, nil))
	n1 := open(t, cfg)
	cfg = config("n2")
	cfg.Key = key(9)
	n2 := open(t, cfg)
	if _, err := n2.Join(t.Context(), []string{n1.Addr().String()}); err == nil {
		t.Fatal("it joined")
	}
	for p, from := range map[*Pool]netip.Addr{n1: n2.Addr().Addr(), n2: n1.Addr().Addr()} {
		eventually(t, "an alarm at "+p.cfg.Name, func() bool {
			a := p.Alarms()
			return len(a) == 1 && a[0].Kind == OtherKey && a[0].Claimant.Addr() == from && a[0].Count > 0 && a[0].Active(clock.Real{}.Now()) && !a[0].Self
		})
	}
	eventually(t, "the alarm in the log", func() bool { return heard.has("level=ERROR msg=\"alarm: somebody gossips under a key") })
	before := n1.Stats().OtherKeys
	send(t, n1, packet(t, n1.cfg.label(), key(9), message(t, msgDead, verdict{99, "n1", "n1"}), cipherKind))
	eventually(t, "the packet to count", func() bool { return n1.Stats().OtherKeys > before })
	if a := n1.Alarms(); len(a) != 1 || n1.Stats().Conflicts != 0 {
		t.Errorf("alarms %+v, %d conflicts", a, n1.Stats().Conflicts)
	}
}

// TestAlarmsAreToldOnce, and once an hour for as long as they go on.
func TestAlarmsAreToldOnce(t *testing.T) {
	now, heard := clock.NewFake(time.Unix(1000, 0)), &lines{}
	log := slog.New(slog.NewTextHandler(heard, nil))
	b := &alarmBook{clock: now, self: "me", book: map[alarmKey]*entry{}, poke: func() {}}
	allowed := newAllowance(now)
	for i := range 3 {
		for range 100 {
			b.otherKey(netip.AddrPort{})
			b.NotifyConflict(&memberlist.Node{Name: "me", Addr: net.IPv4(10, 0, 0, 1), Port: 1}, &memberlist.Node{Addr: net.IPv4(10, 0, 0, 2), Port: 2})
			b.tell(log, allowed)
		}
		if heard.count() != 2*(i+1) {
			t.Fatalf("%d lines after %d hours: %q", heard.count(), i, heard.all)
		}
		now.Advance(alarmFor)
	}
	for i := range 10 * logBurst {
		b.NotifyConflict(&memberlist.Node{Name: fmt.Sprint(i)}, &memberlist.Node{})
		b.tell(log, allowed)
	}
	if n := heard.count(); n > 6+logBurst {
		t.Errorf("%d lines: whoever has the key can fill the log", n)
	}
}
