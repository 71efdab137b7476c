package leader

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/placement"
)

// slow is a clock that goes on by a second at each reading.
type slow struct{ *clock.Fake }

func (s slow) Mono() time.Duration {
	s.Advance(time.Second)
	return s.Fake.Mono()
}

func TestCountersTellWhatBecameOfDecisions(t *testing.T) {
	r := newRig(t, false)
	var c Counters
	var broken error
	d := Deps{View: r.m.View, Feed: r.m.Feed(), Clock: slow{clock.NewFake(time.Unix(100, 0))}, Term: 1, Electorate: func() assign.Electorate { return assign.Electorate{} }, Poll: nobody,
		Lease: time.Hour, Counters: &c, Log: slog.New(slog.DiscardHandler),
		Propose: func(_ context.Context, by command.By, cmd command.Command) error {
			if broken != nil {
				return broken
			}
			return r.do(by, cmd)
		}}
	propose := func() *command.ServersPlace {
		cmds := place(r.inputs())
		if len(cmds) != 1 {
			t.Fatalf("%d commands", len(cmds))
		}
		(&loop{Deps: d}).propose(t.Context(), "place", cmds[0])
		return cmds[0].(*command.ServersPlace)
	}
	r.server("01")
	propose()
	r.must(command.By{System: command.HostBy + hostA}, command.Example("host.register/1"))
	r.server("02")
	broken = errors.New("no")
	propose()
	broken = nil
	again := propose()
	(&loop{Deps: d}).propose(t.Context(), "place", again) // it holds no more
	big := r.server("03")
	host := r.m.View().Host(hostA)
	r.must(admin, &command.HostService{ID: host.ID, Disabled: new(true)})
	propose()

	got := c.Read()
	if got.Placed != 1 || got.Refused[placement.NoHosts] != 1 || got.Refused["enabled"] != 1 || len(got.Refused) != 2 {
		t.Errorf("placed %d, refused %v; server 03 is %v", got.Placed, got.Refused, r.m.View().Server(big).Fault)
	}
	if p := got.Duties["place"]; p.Done != 3 || p.Failed != 1 || p.Void != 1 {
		t.Errorf("commands: %+v, want 3 done, 1 failed, 1 void", p)
	}

	// One turn of the loop asks every duty once, and times it.
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, d) }()
	for c.Read().Duties["checkpoint"].Runs == 0 {
		if err := clock.Sleep(t.Context(), clock.Real{}, time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, duty := range Duties {
		if n := c.Read().Duties[duty.Name]; n.Runs == 0 || n.Took != time.Duration(n.Runs)*time.Second {
			t.Errorf("%s: %d runs took %v, want a second each", duty.Name, n.Runs, n.Took)
		}
	}
}

// A command that speaks of a server that is no more counts for nothing.
func TestCountersOfWhatIsGone(t *testing.T) {
	r := newRig(t, false)
	var c Counters
	c.done("place", &command.ServersPlace{Items: []command.Placement{{ServerID: model.ServerID("x"), HostID: hostA}}}, r.m.View())
	if got := c.Read(); got.Placed != 0 || got.Duties["place"].Done != 1 {
		t.Errorf("%+v", got)
	}
	var none *Counters
	none.ran("place", time.Second)
	none.done("place", &command.ServersPlace{}, r.m.View())
	if got := none.Read(); got.Duties != nil {
		t.Errorf("%+v", got)
	}
}
