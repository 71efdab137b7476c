package leader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

const life = 10 * time.Second

// hall is a cluster's voters and hosts, with one clock for all.
type hall struct {
	*rig
	clock  *clock.Fake
	term   uint64
	nodes  []assign.Node
	voters map[string]*Register
	// deaf voters are not reached by the leader, cut ones by no host.
	deaf, cut map[string]bool
	seq       uint64
	caller    *Caller
	now       int64
}

func newHall(t *testing.T, voters, hosts int) *hall {
	h := &hall{rig: newRig(t, false), clock: clock.NewFake(time.Unix(1000, 0)), term: 1, voters: map[string]*Register{},
		deaf: map[string]bool{}, cut: map[string]bool{}, caller: NewCaller(1, life)}
	for i := range hosts {
		c := command.Example("host.register/1").(*command.HostRegister)
		c.ID, c.Name = model.HostID(hostN(i)), fmt.Sprintf("host-%d", i)
		h.must(command.By{System: command.HostBy + hostN(i)}, c)
	}
	for i := range voters {
		n := assign.Node{ID: fmt.Sprintf("c%d", i+1), Voter: true}
		h.nodes = append(h.nodes, n)
		h.start(n.ID)
	}
	return h
}

func hostN(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-0000000000%02x", 0xf1+i) }

// start starts a voter, anew if there was one.
func (h *hall) start(id string) {
	h.voters[id] = NewRegister(RegisterConfig{NodeID: id, Lease: life, View: h.m.View, Clock: h.clock, Log: slog.New(slog.DiscardHandler),
		Term: func() uint64 { return h.term }, Electorate: h.electorate})
}

func (h *hall) electorate() assign.Electorate { return assign.Electorate{Index: 7, Nodes: h.nodes} }

// renew lets a host renew with every voter, and counts those that granted.
func (h *hall) renew(host, instance string) (granted int, last assign.LeaseAnswer) {
	h.t.Helper()
	h.seq++
	for _, n := range h.nodes {
		if h.cut[n.ID] {
			continue
		}
		a, err := h.voters[n.ID].Renew(assign.LeaseRequest{HostID: host, Instance: instance, Seq: h.seq})
		if err != nil {
			h.t.Fatal(err)
		}
		if a.Granted {
			granted++
		}
		last = a
	}
	return granted, last
}

// question puts one to the voters and counts their answers.
func (h *hall) question() PollRequest {
	q, voters := h.caller.Ask(h.m.View(), h.electorate(), h.clock.Mono())
	answers := map[string]PollAnswer{}
	for _, n := range voters {
		if h.deaf[n.ID] {
			continue
		}
		if a, err := h.voters[n.ID].Poll(q); err == nil {
			answers[n.ID] = a
		}
	}
	h.caller.Count(q, answers)
	return q
}

// round is one question of the leader's and the duty behind it.
func (h *hall) round() PollRequest {
	q := h.question()
	in := h.inputs()
	in.Ballot = h.caller.Ballot()
	for _, c := range hosts(in) {
		h.must(command.By{System: command.Leader, Term: 1}, c)
	}
	return q
}

// pass lets time pass: a round a second, and the hosts named renew every three.
func (h *hall) pass(d time.Duration, alive ...string) {
	for range int(d / time.Second) {
		h.clock.Advance(time.Second)
		h.now++
		if h.now%3 == 0 {
			for _, host := range alive {
				h.renew(host, host+"/1")
			}
		}
		h.round()
	}
}

func (h *hall) down(host string) bool { return h.m.View().Host(model.HostID(host)).Down }

// TestADeadHostIsCalledDead: with one, three and five voters alike; and one that
// comes back is called alive, and has its lease again.
func TestADeadHostIsCalledDead(t *testing.T) {
	for _, n := range []int{1, 3, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			h := newHall(t, n, 2)
			a, b := hostN(0), hostN(1)
			h.round()
			h.pass(30*time.Second, a, b)
			if h.down(a) || h.down(b) {
				t.Fatal("a host that renews is down")
			}
			h.pass(Patience(life)-2*time.Second, b)
			if h.down(a) {
				t.Fatal("called dead within patience")
			}
			h.pass(6*time.Second, b)
			if !h.down(a) || h.down(b) {
				t.Fatalf("a down=%t, b down=%t", h.down(a), h.down(b))
			}
			if granted, last := h.renew(a, "second life"); granted != 0 || last.Reason != assign.LeaseDown {
				t.Fatalf("granted by %d while it is down: %+v", granted, last)
			}
			h.round()
			if h.down(a) {
				t.Fatal("heard by all, and still down")
			}
			h.round()
			if granted, last := h.renew(a, "second life"); granted != n {
				t.Errorf("granted by %d of %d: %+v", granted, n, last)
			}
			h.pass(30*time.Second, a, b)
		})
	}
}

// TestAMinorityIsNotEnough: a host that a majority of voters hears is not called
// dead, and one that only a minority hears is.
func TestAMinorityIsNotEnough(t *testing.T) {
	h := newHall(t, 5, 1)
	h.round()
	h.pass(20*time.Second, hostN(0))
	h.cut["c1"], h.cut["c2"] = true, true
	h.pass(60*time.Second, hostN(0))
	if h.down(hostN(0)) {
		t.Fatal("called dead by a minority")
	}
	h.cut["c3"] = true
	h.pass(40*time.Second, hostN(0))
	if !h.down(hostN(0)) {
		t.Error("not called dead by a majority")
	}
}

// TestVotersThatTheLeaderDoesNotReach count for nothing.
func TestVotersThatTheLeaderDoesNotReach(t *testing.T) {
	h := newHall(t, 3, 1)
	h.round()
	h.pass(20*time.Second, hostN(0))
	h.deaf["c2"], h.deaf["c3"] = true, true
	h.pass(60 * time.Second)
	if h.down(hostN(0)) {
		t.Fatal("called dead by the leader's own word")
	}
	delete(h.deaf, "c2")
	h.pass(30 * time.Second)
	if !h.down(hostN(0)) {
		t.Error("never called dead")
	}
}

// TestAYoungVoterHasHeardEveryone: after a restart silence counts anew, and
// nobody is granted before the leader spoke.
func TestAYoungVoterHasHeardEveryone(t *testing.T) {
	h := newHall(t, 3, 1)
	h.round()
	h.pass(20*time.Second, hostN(0))
	h.pass(15 * time.Second)
	h.start("c1")
	h.start("c2")
	h.cut["c3"] = true
	if granted, last := h.renew(hostN(0), "x"); granted != 0 || last.Reason != assign.LeaseYoung {
		t.Fatalf("granted by %d before they were told: %+v", granted, last)
	}
	h.pass(Patience(life) - time.Second)
	if h.down(hostN(0)) {
		t.Fatal("called dead by voters that have just started")
	}
	h.pass(5 * time.Second)
	if !h.down(hostN(0)) {
		t.Error("never called dead")
	}
}

// TestAPromiseOutlivesARestart: what a voter promised is said to it again before
// it grants anything.
func TestAPromiseOutlivesARestart(t *testing.T) {
	h := newHall(t, 3, 1)
	h.round()
	h.pass(20*time.Second, hostN(0))
	h.pass(25 * time.Second)
	if !h.down(hostN(0)) {
		t.Fatal("not down")
	}
	h.start("c1")
	if granted, _ := h.renew(hostN(0), "x"); granted != 0 {
		t.Fatalf("granted by %d", granted)
	}
	h.deaf["c1"] = true
	h.pass(time.Second)
	if granted, _ := h.renew(hostN(0), "x"); granted != 0 && h.down(hostN(0)) {
		t.Fatalf("granted by %d while it is down", granted)
	}
}

// TestAYoungLeaderCallsNobodyDead: it must have led with the same voters for as
// long as patience lasts.
func TestAYoungLeaderCallsNobodyDead(t *testing.T) {
	h := newHall(t, 3, 1)
	h.round()
	h.pass(20*time.Second, hostN(0))
	h.pass(16 * time.Second)
	h.caller, h.term = NewCaller(2, life), 2
	by := h.clock.Mono()
	for len(h.caller.Ballot().Called) == 0 && h.clock.Mono()-by < time.Minute {
		h.clock.Advance(time.Second)
		h.question()
	}
	if age := h.clock.Mono() - by; age < Patience(life) || age > Patience(life)+4*time.Second {
		t.Errorf("called dead after %v of the term", age)
	}
}

// TestPollIsRefused: an older term, an older question, too much.
func TestPollIsRefused(t *testing.T) {
	h := newHall(t, 1, 1)
	r := h.voters["c1"]
	ask := func(term, seq uint64, hold ...string) error {
		_, err := r.Poll(PollRequest{Term: term, Seq: seq, Hold: hold})
		return err
	}
	h.term = 5
	for _, c := range []struct {
		term, seq uint64
		kind      errs.Kind
	}{{4, 1, errs.Conflict}, {6, 1, errs.Conflict}, {5, 2, 0}, {5, 2, errs.Conflict}, {5, 1, errs.Conflict}, {5, 3, 0}} {
		if err := ask(c.term, c.seq); (err == nil) != (c.kind == 0) || err != nil && !errs.Is(err, c.kind) {
			t.Errorf("term %d, question %d: %v", c.term, c.seq, err)
		}
	}
	if err := ask(5, 4, make([]string, maxHosts+1)...); !errs.Is(err, errs.Invalid) {
		t.Errorf("too many: %v", err)
	}
	// A refused question holds nobody.
	if err := ask(4, 9, hostN(0)); err == nil {
		t.Fatal("taken")
	}
	if granted, last := h.renew(hostN(0), "x"); granted != 1 {
		t.Errorf("%+v", last)
	}
}

// TestRenewIsRefused: what a voter does not take.
func TestRenewIsRefused(t *testing.T) {
	h := newHall(t, 1, 1)
	h.round()
	for _, c := range []struct {
		name string
		q    assign.LeaseRequest
		kind errs.Kind
	}{
		{"no id", assign.LeaseRequest{HostID: "x", Instance: "i", Seq: 1}, errs.Invalid},
		{"no instance", assign.LeaseRequest{HostID: hostN(0), Seq: 1}, errs.Invalid},
		{"a long instance", assign.LeaseRequest{HostID: hostN(0), Instance: strings.Repeat("i", maxInstance+1), Seq: 1}, errs.Invalid},
		{"another cluster", assign.LeaseRequest{ClusterID: "other", HostID: hostN(0), Instance: "i", Seq: 1}, errs.Forbidden},
		{"a stranger", assign.LeaseRequest{HostID: hostN(9), Instance: "i", Seq: 1}, errs.NotFound},
	} {
		if _, err := h.voters["c1"].Renew(c.q); !errs.Is(err, c.kind) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	empty := NewRegister(RegisterConfig{NodeID: "c9", Lease: life, View: fsm.New(false).View, Clock: h.clock,
		Term: func() uint64 { return 1 }, Electorate: h.electorate, Log: slog.New(slog.DiscardHandler)})
	if _, err := empty.Renew(assign.LeaseRequest{HostID: hostN(0), Instance: "i", Seq: 1}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("before there is a cluster: %v", err)
	}
	a, err := h.voters["c1"].Renew(assign.LeaseRequest{HostID: hostN(0), Instance: "i", Seq: 5})
	if err != nil || !a.Granted || a.Life != int64(life) || a.NodeID != "c1" || a.ClusterID == "" || a.Electorate.Index != 7 || len(a.Electorate.Nodes) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	for _, seq := range []uint64{5, 4} {
		if a, err = h.voters["c1"].Renew(assign.LeaseRequest{HostID: hostN(0), Instance: "i", Seq: seq}); err != nil || a.Granted || a.Reason != assign.LeaseOld {
			t.Errorf("request %d after 5: %+v, %v", seq, a, err)
		}
	}
}

// TestAClonedHost: the first keeps its lease, the second gets none, and an alarm
// says so. A restarted agent is no clone.
func TestAClonedHost(t *testing.T) {
	h := newHall(t, 3, 1)
	a := hostN(0)
	h.round()
	for i := range 10 {
		if n, last := h.renew(a, "first"); n != 3 {
			t.Fatalf("the first got %d: %+v", n, last)
		}
		if n, last := h.renew(a, "second"); n != 0 || last.Reason != assign.LeaseTaken {
			t.Fatalf("the second got %d: %+v", n, last)
		}
		if n := len(h.voters["c1"].Clones()); (n == 1) != (i >= crossings) {
			t.Errorf("after %d turns of both: %d alarms", i+1, n)
		}
		h.clock.Advance(3 * time.Second)
		h.round()
	}
	all := h.voters["c2"].Clones()
	if len(all) != 1 || all[0].Host != a || all[0].Holder != "first" || all[0].Rival != "second" || all[0].Count != 8 ||
		!all[0].First.Before(all[0].Last) {
		t.Errorf("%+v", all)
	}
	if h.down(a) {
		t.Error("the alarm did harm")
	}
	// The first falls silent: the second takes over once the lease is surely over,
	// before the host would be called dead.
	for range 5 {
		h.clock.Advance(3 * time.Second)
		h.round()
		h.renew(a, "second")
	}
	if n, last := h.renew(a, "second"); n != 3 || h.down(a) {
		t.Errorf("the second got %d after the first was gone, down=%t: %+v", n, h.down(a), last)
	}
}

// TestARestartedAgentRaisesNoAlarm: not even when a late message of its former
// life comes in.
func TestARestartedAgentRaisesNoAlarm(t *testing.T) {
	h := newHall(t, 1, 1)
	h.round()
	h.renew(hostN(0), "boot/1")
	h.renew(hostN(0), "boot/2")
	h.renew(hostN(0), "boot/1") // late
	for range 8 {
		h.clock.Advance(3 * time.Second)
		h.round()
		h.renew(hostN(0), "boot/2")
	}
	if n, _ := h.renew(hostN(0), "boot/2"); n != 1 || len(h.voters["c1"].Clones()) != 0 {
		t.Errorf("granted by %d, alarms %v", n, h.voters["c1"].Clones())
	}
}

// TestAlarmsAreBounded: the oldest goes.
func TestAlarmsAreBounded(t *testing.T) {
	h := newHall(t, 1, 0)
	r := h.voters["c1"]
	for i := range maxClones + 10 {
		h.clock.Advance(time.Second)
		r.cross(fmt.Sprintf("h%03d", i), &tenant{instance: "a", rival: "b", crossed: crossings})
	}
	all := r.Clones()
	if len(all) != maxClones || all[0].Host != "h010" {
		t.Errorf("%d alarms, the first of %s", len(all), all[0].Host)
	}
}

// TestAVoterThatSlept counts nobody as silent: it heard nobody for its own sake.
func TestAVoterThatSlept(t *testing.T) {
	h := newHall(t, 1, 1)
	h.round()
	h.pass(20*time.Second, hostN(0))
	h.clock.Advance(time.Hour)
	h.pass(10 * time.Second)
	if h.down(hostN(0)) {
		t.Fatal("called dead for what the voter slept through")
	}
	h.pass(15 * time.Second)
	if !h.down(hostN(0)) {
		t.Error("never called dead")
	}
}

// TestAFailedMajorityLetsGo: a host that only a minority promised to hold is let
// go by the next question, and what it tried meanwhile counts.
func TestAFailedMajorityLetsGo(t *testing.T) {
	h := newHall(t, 3, 1)
	a := hostN(0)
	h.round()
	h.pass(20*time.Second, a)
	h.pass(16 * time.Second)
	// Two are about to find it silent; before they promise it is heard by one.
	for len(h.caller.silent) == 0 {
		h.pass(time.Second)
	}
	h.cut["c3"] = true
	h.renew(a, a+"/1")
	h.deaf["c3"] = true
	q := h.round()
	if len(q.Promise) != 1 || len(h.caller.Ballot().Called) != 0 || h.down(a) {
		t.Fatalf("asked for %v, called %v, down=%t", q.Promise, h.caller.Ballot().Called, h.down(a))
	}
	h.cut, h.deaf = map[string]bool{}, map[string]bool{}
	h.pass(4*time.Second, a)
	if n, last := h.renew(a, a+"/1"); n != 3 {
		t.Errorf("granted by %d: %+v", n, last)
	}
}

// TestCalledUntilTheStateSaysSo: a verdict whose outcome is not known keeps the
// host held, whatever the voters say next.
func TestCalledUntilTheStateSaysSo(t *testing.T) {
	h := newHall(t, 3, 1)
	a := hostN(0)
	h.round()
	h.pass(20*time.Second, a)
	for i := 0; len(h.caller.Ballot().Called) == 0; i++ {
		if i > 40 {
			t.Fatal("never called")
		}
		h.clock.Advance(time.Second)
		h.question()
	}
	h.renew(a, a+"/1")
	for range 3 {
		h.clock.Advance(time.Second)
		if q := h.question(); !slices.Equal(q.Hold, []string{a}) || len(q.Promise) != 0 {
			t.Fatalf("asked %+v", q)
		}
		if b := h.caller.Ballot(); len(b.Called) != 1 || len(b.Heard) != 0 {
			t.Fatalf("%+v", b)
		}
	}
	h.round()
	if !h.down(a) {
		t.Fatal("the verdict was not asked for again")
	}
	h.round() // now it is heard, as a host that is down
	if h.down(a) {
		t.Error("heard, and down")
	}
}

// TestOtherVotersBeginAnew: when the voters change, silence must be found again,
// and patience be had.
func TestOtherVotersBeginAnew(t *testing.T) {
	h := newHall(t, 3, 1)
	h.round()
	h.pass(20*time.Second, hostN(0))
	h.pass(16 * time.Second)
	h.nodes = h.nodes[:2]
	h.pass(Patience(life) - time.Second)
	if h.down(hostN(0)) {
		t.Fatal("called dead by voters that have just become so")
	}
	h.pass(5 * time.Second)
	if !h.down(hostN(0)) {
		t.Error("never called dead")
	}
}

// TestStrangeAnswersCountForNothing: not a voter, another term, another question,
// a name twice.
func TestStrangeAnswersCountForNothing(t *testing.T) {
	h := newHall(t, 3, 1)
	a := hostN(0)
	h.caller.Ask(h.m.View(), h.electorate(), 0)
	q, _ := h.caller.Ask(h.m.View(), h.electorate(), time.Minute)
	q.Promise = []string{a}
	yes := PollAnswer{Term: 1, Promised: []string{a, a}, Heard: []string{a, a}}
	old := yes
	old.Term = 0
	h.caller.Count(q, map[string]PollAnswer{"c1": yes, "c2": old, "c8": yes, "c9": yes})
	if b := h.caller.Ballot(); len(b.Called)+len(b.Heard) != 0 {
		t.Errorf("%+v", b)
	}
	stale := q
	stale.Seq--
	h.caller.Count(stale, map[string]PollAnswer{"c1": yes, "c2": yes, "c3": yes})
	if b := h.caller.Ballot(); len(b.Called)+len(b.Heard) != 0 {
		t.Errorf("%+v", b)
	}
	h.caller.Count(q, map[string]PollAnswer{"c1": yes, "c2": yes})
	if b := h.caller.Ballot(); len(b.Called) != 1 || len(b.Heard) != 0 {
		t.Errorf("%+v", b)
	}
}

// TestHostsAreBounded: what is silent makes room; who is held does not.
func TestHostsAreBounded(t *testing.T) {
	h := newHall(t, 1, 0)
	r := h.voters["c1"]
	for i := range maxHosts {
		if r.tenant(fmt.Sprint(i), 0) == nil {
			t.Fatal("no room for ", i)
		}
	}
	r.hosts["0"].held = true
	if r.tenant("one more", 0) != nil {
		t.Fatal("room for more than the limit")
	}
	if r.tenant("one more", time.Hour) == nil || len(r.hosts) != 2 || r.hosts["0"] == nil {
		t.Errorf("%d hosts are left", len(r.hosts))
	}
}

// TestOutage: many hosts at once raise an alarm, and are called dead all the
// same.
func TestOutage(t *testing.T) {
	h := newHall(t, 3, 15)
	wall := func() int64 { return int64(h.index) * second }
	for i, c := range []struct{ down, of int }{{0, 15}, {3, 15}, {4, 15}} {
		for n := range c.down {
			if !h.down(hostN(n)) {
				h.must(leader, &command.HostState{ID: model.HostID(hostN(n)), Down: true})
			}
		}
		if o := LookForOutage(h.m.View(), wall()); o.Down != c.down || o.Of != c.of || o.Alarm() != (c.down > 3) {
			t.Errorf("%d: %+v, alarm %t", i, o, o.Alarm())
		}
	}
	if o := LookForOutage(h.m.View(), wall()+int64(time.Hour)); o.Down != 0 || o.Alarm() {
		t.Errorf("an hour later: %+v", o)
	}
	if o := (Outage{4, 20}); o.Alarm() {
		t.Errorf("a fifth: %+v", o)
	}
}

// TestRunNoticesADeadHost: the loop with one, three and five voters, one of which
// never answers.
func TestRunNoticesADeadHost(t *testing.T) {
	for _, n := range []int{1, 3, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			h := newHall(t, n, 1)
			ctx, cancel := context.WithCancel(context.Background())
			verdict, done := make(chan error, 8), make(chan error, 1)
			poll := func(ctx context.Context, v assign.Node, q PollRequest) (PollAnswer, error) {
				if n > 1 && v.ID == "c1" {
					<-ctx.Done()
					return PollAnswer{}, errors.New("no answer")
				}
				return h.voters[v.ID].Poll(q)
			}
			go func() {
				done <- Run(ctx, Deps{View: h.m.View, Feed: h.m.Feed(), Clock: h.clock, Term: 1, Lease: life, Electorate: h.electorate,
					Poll: poll, Log: slog.New(slog.DiscardHandler),
					Propose: func(_ context.Context, by command.By, c command.Command) error {
						err := h.do(by, c)
						verdict <- err
						return err
					}})
			}()
			deadline := clock.Real{}.After(30 * time.Second)
			for called := false; !called; {
				select {
				case err := <-verdict:
					if err != nil {
						t.Fatal(err)
					}
					called = true
				case <-clock.Real{}.After(time.Millisecond):
					h.clock.Advance(200 * time.Millisecond)
				case <-deadline:
					t.Fatal("nobody was called dead")
				}
			}
			if !h.down(hostN(0)) {
				t.Error("not down")
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRivals: while one machine holds a host's lease, no other one is heard; the
// next life of the same machine is, unless the one before it goes on.
func TestRivals(t *testing.T) {
	h := newHall(t, 1, 1)
	a, r := hostN(0), h.voters["c1"]
	h.round()
	heard := func(instance string, want bool) {
		t.Helper()
		if got := !r.Rival(a, instance); got != want {
			t.Errorf("%s is heard: %t", instance, got)
		}
	}
	heard("boot/1", true) // nobody holds it
	h.renew(a, "boot/1")
	heard("boot/1", true)
	heard("boot/2", true)
	heard("", true) // does not say
	heard("copy/1", false)
	heard("copy", false)
	for range crossings + 1 {
		h.renew(a, "boot/1")
		h.renew(a, "boot/2")
		h.clock.Advance(3 * time.Second)
		h.round()
	}
	heard("boot/2", false) // the old life goes on
	heard("boot/1", true)
	h.clock.Advance(life * 12 / 10)
	heard("copy/1", true) // nobody holds it any more
	if r.Rival(hostN(7), "boot/1") {
		t.Error("a host that is not known has a rival")
	}
}
