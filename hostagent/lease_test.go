package hostagent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// TestNoStartOnAnOldWord: what was confirmed before the lease was lost starts no
// guest, and neither does it after the lease is held again, until it is confirmed
// anew. Guests that run are left alone all the time.
func TestNoStartOnAnOldWord(t *testing.T) {
	r := newRig(t, false, nil)
	r.plane.life = 10 * time.Second
	r.plane.put(guest(1), guest(2))
	r.wantSeen("guest-1", assign.Running)
	r.wantSeen("guest-2", assign.Running)
	ctx := context.Background()
	settle := func() {
		for range 50 {
			if progress, _ := r.agent.Sweep(ctx); !progress {
				return
			}
		}
	}

	r.plane.dead = true
	r.clock.Advance(11 * time.Second)
	r.agent.Renew(ctx)
	r.driver.CrashGuest("guest-1")
	for range 20 {
		settle()
		r.clock.Advance(30 * time.Second)
		r.agent.Renew(ctx)
	}
	if r.state("guest-1") == assign.Running || r.state("guest-2") != assign.Running {
		t.Fatalf("without a lease guest-1 is %s and guest-2 is %s", r.state("guest-1"), r.state("guest-2"))
	}
	asked := len(r.plane.asked)
	if _, err := r.agent.Poll(ctx); err != nil || r.plane.asked[asked] == "" {
		t.Errorf("without a lease asked with %q, %v", r.plane.asked[asked], err)
	}
	settle()
	if r.state("guest-1") == assign.Running {
		t.Fatal("started without a lease, because the control plane spoke to it")
	}

	r.plane.dead = false
	r.clock.Advance(4 * time.Second)
	r.agent.Renew(ctx)
	settle()
	if r.state("guest-1") == assign.Running {
		t.Fatal("started on a word of before the lease was lost")
	}
	if _, err := r.agent.Poll(ctx); err != nil || r.plane.asked[asked+1] != "" {
		t.Errorf("with the lease anew asked with %q, %v", r.plane.asked[asked+1], err)
	}
	settle()
	if r.state("guest-1") != assign.Running {
		t.Errorf("confirmed, and guest-1 is %s", r.state("guest-1"))
	}
	r.agent.Renew(ctx)
	if _, err := r.agent.Poll(ctx); err != nil || r.plane.asked[asked+2] == "" {
		t.Errorf("confirmed, and asked for the whole again, %v", err)
	}
}

// TestTheLeaseIsLookedAtLast: between the look at a guest and its start a slow
// hypervisor may let the lease run out.
func TestTheLeaseIsLookedAtLast(t *testing.T) {
	var r *rig
	slow, looks := false, 0
	r = newRig(t, false, func(o *sim.Options) {
		count := o.Trace
		o.Trace = func(op, id string, err error) {
			count(op, id, err)
			if op != "look" || !slow {
				return
			}
			// The first look of a turn only finds that there is a place behind the
			// gate; the second decides.
			if looks++; looks%2 == 0 {
				r.clock.Advance(20 * time.Second)
			}
		}
	})
	r.plane.life = 10 * time.Second
	r.plane.put(guest(1))
	r.wantSeen("guest-1", assign.Running)
	r.driver.CrashGuest("guest-1")
	slow = true
	for range 30 {
		r.round()
	}
	if r.state("guest-1") == assign.Running {
		t.Fatal("started long after the lease was over")
	}
	if n := r.agent.Counts(); n.Failures[hostagent.Start] == 0 {
		t.Fatalf("never tried: %+v", n)
	}
	slow = false
	r.wantSeen("guest-1", assign.Running)
}

// TestLeaseOfARestartedAgent: another life, another instance; and without its
// transport there is no agent.
func TestLeaseOfARestartedAgent(t *testing.T) {
	r := newRig(t, false, nil)
	r.agent.Renew(context.Background())
	r.restart()
	r.agent.Renew(context.Background())
	all := r.plane.renewals
	if len(all) != 2 || all[0].Instance == all[1].Instance || all[0].HostID != theHost || all[0].Seq == 0 {
		t.Errorf("%+v", all)
	}
	_, err := hostagent.New(hostagent.Config{Identity: assign.Capacity{HostID: theHost}, Disk: r.disk, Clock: r.clock})
	if !errs.Is(err, errs.Invalid) {
		t.Errorf("without a transport: %v", err)
	}
}

// TestLeaseShows: on /healthz and in the counters.
func TestLeaseShows(t *testing.T) {
	r := newRig(t, false, nil)
	r.plane.put(guest(1))
	r.wantSeen("guest-1", assign.Running)
	for path, words := range map[string][]string{
		"/healthz": {`"held":true`, `"id":"c1"`, `"granted":true`, `"confirmed":true`},
	} {
		_, body := ask(r.agent.Observer(), path)
		for _, w := range words {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %s:\n%s", path, w, body)
			}
		}
	}
	if n := r.agent.Counts(); !n.LeaseHeld || n.Lease.Begun != 1 || n.Lease.Granted == 0 {
		t.Errorf("counted %+v", n)
	}
	r.clock.Advance(2 * time.Hour)
	if _, body := ask(r.agent.Observer(), "/healthz"); !strings.Contains(body, `"held":false`) || !strings.Contains(body, `"confirmed":false`) {
		t.Errorf("the lease is over: %s", body)
	}
}

// TestRunRenews: the loops of a running agent keep the lease, and find it again.
func TestRunRenews(t *testing.T) {
	r := newRig(t, true, nil)
	r.plane.life = 10 * time.Second
	stop := r.start()
	defer stop()
	held := func() bool { return r.agent.Lease().Held(r.clock.Mono()) }
	r.plane.put(guest(1))
	r.await("the guest runs", func() bool { return r.plane.saw("guest-1").State == assign.Running })
	r.plane.setDown(true)
	r.await("the lease is lost", func() bool { return !held() })
	r.driver.CrashGuest("guest-1")
	r.await("the guest is down", func() bool { return r.state("guest-1") != assign.Running })
	r.plane.setDown(false)
	r.await("the lease is held again", held)
	r.await("the guest runs again", func() bool { return r.state("guest-1") == assign.Running })
	if n := r.agent.Counts().Lease; n.Begun < 2 || n.Failed == 0 {
		t.Errorf("%+v", n)
	}
}
