package leader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/model"
)

const (
	second  = int64(time.Second)
	project = model.ProjectID("000000000000000000000000000000a1")
	user    = model.UserID("000000000000000000000000000000b1")
	hostA   = "00000000-0000-4000-8000-0000000000f1"
	image   = model.ImageID("00000000-0000-4000-8000-0000000000d1")
)

// rig applies commands to a machine as the log would.
type rig struct {
	t     *testing.T
	m     *fsm.Machine
	index uint64
}

func (r *rig) do(by command.By, c command.Command) error {
	r.t.Helper()
	data, err := command.Encode(command.Envelope{By: by, Command: c})
	if err != nil {
		r.t.Fatal(err)
	}
	r.index++
	return r.m.ApplyBatch([]fsm.Entry{{Index: r.index, Term: 1, At: int64(r.index) * second, Data: data}})[0].Err
}

func (r *rig) must(by command.By, c command.Command) {
	r.t.Helper()
	if err := r.do(by, c); err != nil {
		r.t.Fatalf("%s: %v", c.Kind(), err)
	}
}

var (
	admin  = command.By{UserID: user, ProjectID: project, Admin: true, UserEpoch: 1, ProjectEpoch: 1}
	leader = command.By{System: command.Leader, Term: 1}
)

// newRig makes a cloud with an active image and, if asked, a host.
func newRig(t *testing.T, withHost bool) *rig {
	r := &rig{t: t, m: fsm.New(true)}
	r.must(command.By{System: command.Bootstrap}, command.Example("cluster.init/1"))
	r.must(admin, &command.ImageCreate{ID: image, ProjectID: project, Name: "i", Visibility: "public", DiskFormat: "raw", ContainerFormat: "bare"})
	r.must(admin, &command.ImageUpload{ID: image, SHA256: strings.Repeat("a", 64), SHA512: strings.Repeat("b", 128), MD5: strings.Repeat("c", 32), Size: 1, VirtualSize: 1})
	if withHost {
		r.must(command.By{System: command.HostBy + hostA}, command.Example("host.register/1"))
	}
	return r
}

func (r *rig) server(id string) model.ServerID {
	s := model.ServerID("00000000-0000-4000-8000-0000000000" + id)
	r.must(admin, &command.ServerCreate{ProjectID: project, UserID: user, ImageID: image, ReservationID: "r-1",
		Size: model.Size{FlavorID: "1", FlavorName: "m1.tiny", VCPUs: 1, RAM: 512, Disk: 1}, Items: []command.ServerItem{{ID: s, Name: "s", Hostname: "s"}}})
	return s
}

func (r *rig) inputs() Inputs { return Inputs{View: r.m.View(), Wall: 100 * second} }

func TestPlace(t *testing.T) {
	r := newRig(t, true)
	if got := place(r.inputs()); got != nil {
		t.Errorf("nobody waits, and yet: %v", got)
	}
	a := r.server("01")
	cmds := place(r.inputs())
	if len(cmds) != 1 {
		t.Fatalf("%d commands", len(cmds))
	}
	r.must(leader, cmds[0])
	why := fmt.Sprintf("at index %d, 1 host; 1. h1 (2000)", r.index-1)
	if s := r.m.View().Server(a); s.HostID != hostA || s.TaskState != model.TaskSpawning || s.Why != why {
		t.Errorf("placed: %+v\nwant the trace %s", s, why)
	}
	if err := r.do(leader, cmds[0]); err == nil {
		t.Error("a decision was taken twice")
	}
	if again := place(r.inputs()); again != nil {
		t.Errorf("asked again: %v", again)
	}
}

func TestPlaceSaysWhyNot(t *testing.T) {
	r := newRig(t, false)
	a := r.server("01")
	r.must(leader, place(r.inputs())[0])
	s := r.m.View().Server(a)
	if s.VMState != model.Errored || s.Fault == nil || s.Why != s.Fault.Details || !strings.HasSuffix(s.Why, ", 0 hosts") || s.Fault.Message != "No valid host was found. There are not enough hosts available. 0 hosts." {
		t.Errorf("%+v, %+v", s, s.Fault)
	}
}

// TestHosts: the duty turns what the voters' answers come to into verdicts, and
// into none that is known.
func TestHosts(t *testing.T) {
	r := newRig(t, true)
	for _, tc := range []struct {
		name            string
		ballot          Ballot
		down, want, say bool
	}{
		{"nothing", Ballot{}, false, false, false},
		{"called dead", Ballot{Called: []string{hostA}}, false, true, true},
		{"called dead, and known to be", Ballot{Called: []string{hostA}}, true, true, false},
		{"heard, and known to be up", Ballot{Heard: []string{hostA}}, false, false, false},
		{"heard again", Ballot{Heard: []string{hostA}}, true, false, true},
		{"a stranger", Ballot{Called: []string{"0"}, Heard: []string{"1"}}, false, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if h := r.m.View().Host(hostA); h.Down != tc.down {
				r.must(leader, &command.HostState{ID: hostA, Down: tc.down})
			}
			in := r.inputs()
			in.Ballot = tc.ballot
			got := hosts(in)
			if (len(got) == 1) != tc.say {
				t.Fatalf("says %v", got)
			}
			if !tc.say {
				return
			}
			if c := got[0].(*command.HostState); c.Down != tc.want {
				t.Errorf("says down=%v", c.Down)
			}
			r.must(leader, got[0])
			if err := r.do(leader, got[0]); err == nil {
				t.Error("the same verdict was taken twice")
			}
			r.must(leader, &command.HostState{ID: hostA, Down: !tc.want})
			if err := r.do(leader, got[0]); err == nil {
				t.Error("a late verdict undid a newer one")
			}
		})
	}
}

func TestExpireAndCheckpoint(t *testing.T) {
	r := newRig(t, false)
	in := r.inputs()
	if got := expire(in); got != nil {
		t.Errorf("nothing to sweep: %v", got)
	}
	r.must(admin, &command.TokenRevoke{AuditID: "x", ExpiresAt: 50 * second})
	if got := expire(r.inputs()); len(got) != 1 {
		t.Errorf("an expired revocation: %v", got)
	}
	in = r.inputs()
	in.Checkpoint = in.View.Index
	if got := checkpoint(in); got != nil {
		t.Errorf("too early: %v", got)
	}
	in.View.Index += checkpointEvery
	if got := checkpoint(in); len(got) != 1 {
		t.Errorf("due: %v", got)
	}
}

func nobody(context.Context, assign.Node, PollRequest) (PollAnswer, error) {
	return PollAnswer{}, errors.New("nobody is there")
}

func TestRunPlacesWhatTheFeedBrings(t *testing.T) {
	r := newRig(t, true)
	fake := clock.NewFake(time.Unix(100, 0))
	ctx, cancel := context.WithCancel(context.Background())
	placed := make(chan error, 8)
	done := make(chan error, 1)
	turn := make(chan struct{}, 1) // one writer at a time
	turn <- struct{}{}
	go func() {
		done <- Run(ctx, Deps{View: r.m.View, Feed: r.m.Feed(), Clock: fake, Term: 1, Lease: 10 * time.Second,
			Electorate: func() assign.Electorate { return assign.Electorate{} }, Poll: nobody,
			Log: slog.New(slog.DiscardHandler), Propose: func(_ context.Context, by command.By, c command.Command) error {
				<-turn
				defer func() { turn <- struct{}{} }()
				err := r.do(by, c)
				placed <- err
				return err
			}})
	}()
	<-turn
	a := r.server("01")
	turn <- struct{}{}
	if err := <-placed; err != nil {
		t.Fatal(err)
	}
	if r.m.View().Server(a).HostID != hostA {
		t.Error("not placed")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestExpireLooksAtEachKind: what is over is swept, of whatever kind it is, and
// no sooner.
func TestExpireLooksAtEachKind(t *testing.T) {
	for name, row := range map[string]struct {
		make func(r *rig)
		life int64 // from its making on
	}{
		"a tombstone": {func(r *rig) { r.must(admin, &command.ServerDelete{ID: r.server("01")}) }, TombstoneLife},
		"a join token": {func(r *rig) {
			r.must(admin, &command.JoinTokenCreate{ID: model.TokenID(image), Role: model.NodeAgent, Name: "h1", SecretHash: make([]byte, 32),
				ExpiresAt: int64(r.index+61) * second})
		}, 60*second + command.MemberKeep},
	} {
		r := newRig(t, false)
		row.make(r)
		in := r.inputs()
		in.Wall = r.m.View().At + row.life
		if got := expire(in); got != nil {
			t.Errorf("%s, too soon: %v", name, got)
		}
		in.Wall++
		if got := expire(in); len(got) != 1 {
			t.Errorf("%s, when it is over: %v", name, got)
		}
	}
}
