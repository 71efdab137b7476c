package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// restartPrograms ends every control node and every agent, and starts them
// again, with the control node that the demo has killed: guests notice nothing
// of it, also while the cloud has no control plane and no agents at all.
func restartPrograms(ctx context.Context, t *testing.T, s *show) {
	before, were := mustPicture(ctx, t, s), mustRun(t, s, s.guests)
	must(t, s.cloud.Stop(ctx))
	for _, g := range s.guests {
		must(t, s.answers(g))
	}
	if _, err := s.inGuest(s.guests[0], "ping -c 1 -W 5 "+s.guests[1].address); err != nil {
		t.Error("across hosts, without a control plane: ", err)
	}
	startAll(ctx, t, s)
	waitForPicture(ctx, t, s, before)
	for name, is := range mustRun(t, s, s.guests) {
		if is != were[name] {
			t.Errorf("the guest %s was process %s and is now %s", name, were[name], is)
		}
	}
	must(t, s.across())
}

// cutThePower stops one server and then takes the power from all five machines
// in the same moment, twice. When they have it again, what ran runs, on both
// hosts, what was stopped stays so, nothing else is different, and the cloud
// makes a new server.
func cutThePower(ctx context.Context, t *testing.T, s *show) {
	stopped := s.guests[2]
	must(t, s.openstack("server", "stop", stopped.name))
	var before picture
	eventually(ctx, t, s, "the server is not stopped", func() error {
		before = mustPicture(ctx, t, s)
		if servers := before["/compute/v2.1/servers/detail"]; !strings.Contains(servers, `"status": "SHUTOFF"`) {
			return fmt.Errorf("the servers are\n%s", servers)
		}
		return s.off(stopped)
	})
	for _, back := range []struct {
		how string
		do  func(context.Context, *testing.T, *show)
	}{{"all at once", startAll}, {"the hosts long after the control nodes", startHostsLate}} {
		were := mustRun(t, s, s.guests[:2])
		fmt.Println("cutting the power")
		must(t, s.cloud.CutPower(ctx))
		fmt.Println("the power comes back:", back.how)
		back.do(ctx, t, s)
		checkGuestsAreBack(ctx, t, s, were)
		waitForPicture(ctx, t, s, before)
		eventually(ctx, t, s, "the guests do not reach each other", s.across)
	}
	must(t, s.create("third", "--image", "guest-disk"))
	g, err := s.active("third")
	must(t, err)
	s.guests = append(s.guests, g)
	must(t, s.readConsole("third", "hostname=third"))
	must(t, s.off(stopped))
}

// checkGuestsAreBack waits until the first two guests answer, as processes other
// than they were.
func checkGuestsAreBack(ctx context.Context, t *testing.T, s *show, were map[string]string) {
	t.Helper()
	for _, g := range s.guests[:2] {
		eventually(ctx, t, s, "the guest does not answer", func() error { return s.answers(g) })
		fmt.Println(g.name, "answers")
	}
	for name, is := range mustRun(t, s, s.guests[:2]) {
		if is == were[name] {
			t.Errorf("the guest %s outlived the power", name)
		}
	}
}

// goOn uses the cloud once more: a server is stopped and deleted, and its guest
// goes.
func goOn(ctx context.Context, t *testing.T, s *show) {
	g := s.guests[len(s.guests)-1]
	must(t, s.openstack("server", "stop", g.name))
	must(t, s.openstack("server", "delete", "--wait", g.name))
	eventually(ctx, t, s, "the guest is not gone", func() error { return s.off(g) })
}

func startAll(ctx context.Context, t *testing.T, s *show) {
	t.Helper()
	must(t, s.cloud.Start(ctx, s.cloud.Machines()...))
	must(t, s.cloud.WaitVoters(ctx, len(s.cloud.Controls)))
}

// startHostsLate starts the hosts only when the control nodes have called them
// dead.
func startHostsLate(ctx context.Context, t *testing.T, s *show) {
	t.Helper()
	must(t, s.cloud.Start(ctx, s.cloud.Controls...))
	eventually(ctx, t, s, "the hosts are not called dead", func() error {
		hosts := mustPicture(ctx, t, s)["/compute/v2.1/os-hypervisors"]
		if strings.Count(hosts, `"state": "down"`) != len(s.cloud.Hosts) {
			return fmt.Errorf("the hosts are\n%s", hosts)
		}
		return nil
	})
	fmt.Println("the hosts are called dead")
	startAll(ctx, t, s)
}

// answers pings a guest once.
func (s *show) answers(g *guest) error {
	cmd, err := s.inRouter(g, "ping", "-c", "1", "-W", "5", g.address)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the guest %s: %w\n%s", g.name, err, out)
	}
	return nil
}

// off is an error if a guest has a process.
func (s *show) off(g *guest) error {
	ids, err := s.processes(g)
	if err == nil && len(ids) > 0 {
		err = fmt.Errorf("the guest %s runs as process %v", g.name, ids)
	}
	return err
}

// mustRun gives the guests' processes, by the guests' names.
func mustRun(t *testing.T, s *show, guests []*guest) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, g := range guests {
		id, err := s.process(g)
		must(t, err)
		all[g.name] = id
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually tries until there is no error, for at most two minutes.
func eventually(ctx context.Context, t *testing.T, s *show, trouble string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return
		}
		if clock.Sleep(ctx, s.opts.Clock, 200*time.Millisecond) != nil {
			t.Fatalf("%s: %v", trouble, err)
		}
	}
}
