package testbed

import (
	"context"
	"os"
	"path/filepath"

	"github.com/kvorum/kvorum/internal/errs"
)

// CutPower takes the power from the hosts, from all in the same moment: nothing
// that runs on them is asked or told. What was in memory is gone with it: their
// networks, mounts and /run. Their disks stay, and hold whatever was written,
// flushed or not: the machine's page cache is not lost. A host without power
// stays without.
func (r *Rack) CutPower(ctx context.Context, hosts ...*Host) error {
	r.layout.Lock()
	defer r.layout.Unlock()
	var spaces []string
	for _, h := range hosts {
		if h.name == outsideName {
			return errs.Errorf("testbed.power", errs.Invalid, "the outside has no switch")
		}
		spaces = append(spaces, r.state.spaces(h.name)...)
	}
	if err := killAll(ctx, r.clock, func() []member {
		return processes(func(pid string) bool { return inside(pid, spaces) })
	}); err != nil {
		return err
	}
	for _, h := range hosts {
		if err := h.goDark(ctx); err != nil {
			return err
		}
	}
	return nil
}

// goDark drops the namespaces of a host in which nothing runs any more.
func (h *Host) goDark(ctx context.Context) error {
	for _, kind := range []string{"mnt", "uts"} {
		if err := unmountAll(h.rack.state.pin(h.name, kind)); err != nil {
			return err
		}
	}
	if h.Powered() {
		// The kernel takes a namespace down in its own time. The wires' names are
		// needed again, and a pair goes at once with one of its ends.
		for _, port := range []string{"m-", "d-"} {
			if err := h.rack.ip(ctx, switchName, "link del "+port+h.name); err != nil {
				return err
			}
		}
		if err := h.rack.run(ctx, "ip", "netns", "del", h.Netns()); err != nil {
			return err
		}
	}
	return nil
}

// Powered tells whether the host has power.
func (h *Host) Powered() bool {
	_, err := os.Stat(netnsPath(h.Netns()))
	return err == nil
}

// PowerOn boots a host after CutPower, on its disks as they are: nothing is
// started on it. Conflict if it has power.
func (h *Host) PowerOn(ctx context.Context) error {
	h.rack.layout.Lock()
	defer h.rack.layout.Unlock()
	if h.Powered() {
		return errs.Errorf("testbed.power", errs.Conflict, "%s has power already", h.name)
	}
	if err := os.RemoveAll(filepath.Join(h.dir, "run")); err != nil {
		return errs.E("testbed.power", errs.Internal, "", err)
	}
	if err := h.boot(ctx); err != nil {
		return err
	}
	return h.configure(ctx)
}
