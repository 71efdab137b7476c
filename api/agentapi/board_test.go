package agentapi

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func hostID(i int) model.HostID {
	return model.HostID(fmt.Sprintf("00000000-0000-4000-8000-0000000%05x", i))
}

func serverID(i int) model.ServerID {
	return model.ServerID(fmt.Sprintf("00000000-0000-4000-8000-1000000%05x", i))
}

// fleet makes hosts with guests of one network each.
func (c *cloud) fleet(hosts, guests int) {
	c.t.Helper()
	c.quota(1<<30, "cores", "ram", "instances", "port", "network", "subnet")
	for h := range hosts {
		c.must(hostBy(hostID(h)), &command.HostRegister{ID: hostID(h), Name: fmt.Sprintf("h-%d", h), VCPUs: 64, RAM: 1 << 18, Disk: 1 << 12})
		net := model.NetworkID(fmt.Sprintf("00000000-0000-4000-8000-2000000%05x", h))
		c.must(root, &command.NetworkCreate{ID: net, ProjectID: root.ProjectID, Name: "n"})
		c.must(root, &command.SubnetCreate{ID: model.SubnetID(fmt.Sprintf("00000000-0000-4000-8000-3000000%05x", h)), NetworkID: net,
			ProjectID: root.ProjectID, CIDR: "10.0.0.0/24", Gateway: "10.0.0.1"})
		for g := range guests {
			i := h*guests + g
			x := command.Example("server.create/1").(*command.ServerCreate)
			x.Items = []command.ServerItem{{ID: serverID(i), Name: "s", Hostname: fmt.Sprintf("s-%d", i), NICs: []command.ServerNIC{{
				PortID:    model.PortID(fmt.Sprintf("00000000-0000-4000-8000-4000000%05x", i)),
				NetworkID: net, MAC: fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", i>>16, i>>8&0xff, i&0xff)}}}}
			c.must(root, x)
			c.must(command.By{System: command.Leader, Term: 1}, &command.ServersPlace{Items: []command.Placement{{ServerID: serverID(i), HostID: hostID(h)}}})
		}
	}
}

// quota raises limits: a change that concerns no host.
func (c *cloud) quota(limit int, resources ...string) {
	c.t.Helper()
	x := &command.QuotaSet{ProjectID: root.ProjectID}
	for _, r := range resources {
		x.Limits = append(x.Limits, command.QuotaLimit{Resource: r, Limit: int64(limit)})
	}
	c.must(root, x)
}

// sees lets a host report that a guest of its is as it is wished.
func (c *cloud) sees(h, g int) {
	c.t.Helper()
	v := c.nodes[0].machine.View()
	s := v.Server(serverID(g))
	c.must(hostBy(hostID(h)), &command.HostReport{HostID: hostID(h), Guests: []command.GuestObserved{{ID: s.ID,
		Permit: v.Permit(s.ID).Number, State: string(assign.Running), PowerEpoch: s.PowerEpoch, RebootEpoch: s.RebootEpoch}}})
}

// watchers are agents that wait at a board, one a host, until they are told
// something.
type watchers struct {
	board *board
	told  chan model.HostID
	ready sync.WaitGroup
	all   sync.WaitGroup
	stop  chan struct{}
}

func (w *watchers) add(host model.HostID) {
	w.ready.Add(1)
	w.all.Go(func() {
		k, err := w.board.sit(string(host))
		if err != nil {
			panic(err)
		}
		defer w.board.leave(k)
		defer w.board.wait()()
		at, err := w.board.look(k, question{})
		if err != nil {
			panic(err)
		}
		digest := at.sheet.Digest
		w.ready.Done()
		for {
			select {
			case <-at.news:
			case <-w.stop:
				return
			}
			if at, err = w.board.look(k, question{have: digest}); err != nil {
				panic(err)
			}
			if at.sheet != nil {
				digest = at.sheet.Digest
				w.told <- host
			}
		}
	})
}

func (c *cloud) watchers(hosts int) *watchers {
	n := c.nodes[0]
	w := &watchers{told: make(chan model.HostID, 2*hosts), stop: make(chan struct{}),
		board: newBoard(boardConfig{peek: n.machine.View, feed: n.machine.Feed(), tell: n.door.assigned, clock: n.clock, log: n.door.Log})}
	for h := range hosts {
		w.add(hostID(h))
	}
	w.ready.Wait()
	return w
}

func (w *watchers) end() {
	close(w.stop)
	w.all.Wait()
}

// TestUnrelatedChangesCostNothing: what concerns no host makes no computation,
// and what concerns one makes one, however many wait.
func TestUnrelatedChangesCostNothing(t *testing.T) {
	c := newCloud(t, 1)
	c.fleet(8, 2)
	for g := range 16 {
		c.sees(g/2, g)
	}
	w := c.watchers(8)
	defer w.end()
	before := w.board.computed.Load()
	for i := range 100 {
		c.sees(i%8, i%16) // every one counts as a report, and changes the host's row
		c.quota(1<<30+i, "cores")
	}
	c.must(root, &command.ServerReboot{ID: serverID(6), Hard: true})
	if host := <-w.told; host != hostID(3) {
		t.Errorf("told %s", host)
	}
	if n := w.board.computed.Load() - before; n != 1 {
		t.Errorf("%d computations for one change that concerns one of 8 hosts", n)
	}
}

// TestNothingIsKeptOfOldStates: while nobody waits, the board holds on to no
// view.
func TestNothingIsKeptOfOldStates(t *testing.T) {
	c := newCloud(t, 1)
	c.fleet(2, 1)
	w := c.watchers(2)
	if w.board.blind {
		t.Error("blind while agents wait")
	}
	w.end()
	if w.board.seen != (state.View{Stamp: w.board.seen.Stamp}) {
		t.Error("it keeps a view")
	}
	k, err := w.board.sit(string(hostID(0)))
	if err != nil {
		t.Fatal(err)
	}
	was := k.now.digest
	c.must(root, &command.ServerDelete{ID: serverID(0)})
	if at, err := w.board.look(k, question{have: was}); err != nil || at.sheet == nil || at.sheet.Guests[0].Power != assign.Gone {
		t.Errorf("what happened meanwhile was not seen: %+v, %v", at.sheet, err)
	}
}

// TestFeedTooShort: when the feed has lost some changes everybody is looked at.
func TestFeedTooShort(t *testing.T) {
	c := newCloud(t, 1)
	c.fleet(2, 1)
	n := c.nodes[0]
	seen := n.machine.View()
	b := newBoard(boardConfig{peek: func() state.View { return seen }, feed: n.machine.Feed(), tell: n.door.assigned, clock: n.clock, log: n.door.Log})
	k, err := b.sit(string(hostID(0)))
	if err != nil {
		t.Fatal(err)
	}
	old, err := b.look(k, question{})
	if err != nil {
		t.Fatal(err)
	}
	c.must(root, &command.ServerDelete{ID: serverID(0)})
	for i := range fsm.FeedSize {
		c.quota(1<<30+i, "cores")
	}
	seen = n.machine.View()
	if at, err := b.look(k, question{have: old.sheet.Digest}); err != nil || at.sheet == nil {
		t.Errorf("overlooked: %+v, %v", at.sheet, err)
	}
}

// TestTrustEnds: a digest is computed again now and then, so that a rule of
// Concerned that is wrong does no lasting harm.
func TestTrustEnds(t *testing.T) {
	c := newCloud(t, 1)
	c.fleet(1, 1)
	clk := clock.NewFake(time.Unix(0, 0))
	wrong := ""
	n := c.nodes[0]
	b := newBoard(boardConfig{peek: n.machine.View, feed: n.machine.Feed(), clock: clk, log: n.door.Log,
		tell: func(v state.View, host string) (assign.Desired, error) {
			d, err := n.door.assigned(v, host)
			d.Guests[0].Name += wrong
			return d, err
		}})
	k, err := b.sit(string(hostID(0)))
	if err != nil {
		t.Fatal(err)
	}
	at, err := b.look(k, question{})
	if err != nil {
		t.Fatal(err)
	}
	have := at.sheet.Digest
	wrong = "!"
	for _, step := range []struct {
		after time.Duration
		told  bool
	}{{0, false}, {trustFor - time.Second, false}, {time.Second, true}} {
		clk.Advance(step.after)
		at, err := b.look(k, question{have: have})
		if err != nil || step.told != (at.sheet != nil) {
			t.Errorf("after %s more: %+v, %v", step.after, at.sheet, err)
		}
	}
}

// TestBoardIsBounded: more hosts than can be remembered push out those that do
// not ask now, and are sent away if all do.
func TestBoardIsBounded(t *testing.T) {
	b := newBoard(boardConfig{})
	for i := range maxDesks + 10 {
		k, err := b.sit(string(hostID(i)))
		if err != nil {
			t.Fatal(err)
		}
		b.index(k, []model.NetworkID{"n"})
		b.leave(k)
	}
	if len(b.desks) != maxDesks || len(b.nets["n"]) != maxDesks {
		t.Errorf("remembers %d hosts, %d of them by network", len(b.desks), len(b.nets["n"]))
	}
	for i := range maxDesks {
		if _, err := b.sit(string(hostID(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.sit(string(hostID(maxDesks + 11))); !errs.Is(err, errs.Busy) {
		t.Errorf("one more: %v", err)
	}
}

// BenchmarkUnrelated is what a change costs that concerns none of 200 hosts
// with 20 guests each: alone, when all their agents wait, and when every
// waiting agent's desired state is computed after every change.
func BenchmarkUnrelated(b *testing.B) {
	c := newCloud(b, 1)
	c.fleet(200, 20)
	for g := range 4000 {
		c.sees(g/20, g)
	}
	b.Run("alone", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			c.sees(i%4000/20, i%4000)
		}
	})
	b.Run("watched", func(b *testing.B) {
		w := c.watchers(200)
		defer w.end()
		before := w.board.computed.Load()
		for i := 0; b.Loop(); i++ {
			c.sees(i%4000/20, i%4000)
		}
		b.ReportMetric(float64(w.board.computed.Load()-before)/float64(b.N), "computed/op")
	})
	b.Run("recomputed", func(b *testing.B) {
		n := c.nodes[0]
		for i := 0; b.Loop(); i++ {
			c.sees(i%4000/20, i%4000)
			for h := range 200 {
				d, err := n.door.assigned(n.machine.View(), string(hostID(h)))
				if err != nil || d.Sum() == "" {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkConcerned is what one wish costs that concerns one of 200 hosts: its
// agent is told.
func BenchmarkConcerned(b *testing.B) {
	c := newCloud(b, 1)
	c.fleet(200, 20)
	for g := range 4000 {
		c.sees(g/20, g)
	}
	w := c.watchers(200)
	defer w.end()
	i := 0
	for b.Loop() {
		g := i % 4000
		c.must(root, &command.ServerReboot{ID: serverID(g), Hard: true})
		<-w.told
		c.sees(g/20, g)
		i++
	}
}
