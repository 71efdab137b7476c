package cloud

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// stopWait is how long a program may take to end when it is asked to; the units
// of systemd give it as long.
const stopWait = 30 * time.Second

// Stop asks every control node and every agent to end, all in the same moment,
// and waits until they have. libvirt and the guests run on. One that does not
// end in time is an error, and runs on.
func (c *Cloud) Stop(ctx context.Context) error {
	var all []*testbed.Process
	for _, h := range c.Machines() {
		for _, name := range []string{"control", "agent"} {
			if p, err := h.Process(name); err == nil {
				all = append(all, p)
			}
		}
	}
	for _, p := range all {
		if err := p.Signal(syscall.SIGTERM); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, stopWait)
	defer cancel()
	for slices.ContainsFunc(all, (*testbed.Process).Running) {
		if err := clock.Sleep(ctx, c.opts.Clock, 50*time.Millisecond); err != nil {
			return errs.E("cloud.stop", errs.Unavailable, "a program does not end when it is asked to\n"+c.Tails(), err)
		}
	}
	return nil
}

// CutPower takes the power from every machine in the same moment, guests
// included.
func (c *Cloud) CutPower(ctx context.Context) error { return c.Rack.CutPower(ctx, c.Machines()...) }

// Start starts all of these machines that does not run, all in the same moment:
// the machine itself, libvirt, control node or agent. It returns when these
// control nodes are ready and these agents know what their hosts are assigned;
// guests may still boot then.
func (c *Cloud) Start(ctx context.Context, machines ...*testbed.Host) error {
	for _, h := range machines {
		if !h.Powered() {
			if err := h.PowerOn(ctx); err != nil {
				return err
			}
		}
	}
	var doing sync.WaitGroup
	failed := make(chan error, len(machines))
	for _, h := range machines {
		bring := c.bringHost
		if slices.Contains(c.Controls, h) {
			bring = c.bringControl
		}
		doing.Go(func() { failed <- bring(ctx, h) })
	}
	doing.Wait()
	close(failed)
	var all []error
	for err := range failed {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// Machines are the control nodes, and then the hosts.
func (c *Cloud) Machines() []*testbed.Host { return slices.Concat(c.Controls, c.Hosts) }

func (c *Cloud) bringControl(ctx context.Context, h *testbed.Host) error {
	if !runs(h, "control") {
		if err := c.LaunchControl(h); err != nil {
			return err
		}
	}
	return c.WaitReady(ctx, h)
}

func (c *Cloud) bringHost(ctx context.Context, h *testbed.Host) error {
	if err := c.startLibvirt(ctx, h); err != nil {
		return err
	}
	if !runs(h, "agent") {
		if err := c.launchAgent(h); err != nil {
			return err
		}
	}
	return c.waitAgent(ctx, h)
}

func runs(h *testbed.Host, name string) bool {
	p, err := h.Process(name)
	return err == nil && p.Running()
}
