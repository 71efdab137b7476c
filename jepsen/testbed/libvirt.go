package testbed

import (
	"context"
	"net"
	"os"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// The names under which a host's libvirt services are managed processes.
	virtlogd = "virtlogd"
	libvirtd = "libvirtd"

	libvirtSocket = "/run/libvirt/libvirt-sock"
	serviceWait   = 60 * time.Second
	pollEvery     = 50 * time.Millisecond
)

// StartLibvirt starts the host's virtlogd and libvirtd and returns when
// libvirtd takes calls. What runs already is left as it is; guests that ran
// before are found again.
func (h *Host) StartLibvirt(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if p, err := h.Process(virtlogd); err != nil || !p.Running() {
		p, err := h.Start(virtlogd, "virtlogd")
		if err != nil {
			return err
		}
		if err := h.await(ctx, p, "/run/libvirt/virtlogd-sock"); err != nil {
			return err
		}
	}
	if p, err := h.Process(libvirtd); err == nil && p.Running() {
		return h.await(ctx, p, libvirtSocket)
	}
	// A socket left by a killed daemon would take no calls, but look as if.
	if err := os.RemoveAll(h.Path(libvirtSocket)); err != nil {
		return errs.E("testbed.libvirt", errs.Internal, "", err)
	}
	p, err := h.Start(libvirtd, "libvirtd")
	if err != nil {
		return err
	}
	return h.await(ctx, p, libvirtSocket)
}

// StopLibvirt stops libvirtd and virtlogd. Guests run on.
func (h *Host) StopLibvirt(ctx context.Context) error {
	for _, name := range []string{libvirtd, virtlogd} {
		if err := h.Stop(ctx, name); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
	}
	return nil
}

// LibvirtURI reaches the host's libvirtd from outside the host.
func (h *Host) LibvirtURI() string {
	return "qemu:///system?socket=" + h.Path(libvirtSocket)
}

// await waits until the process answers on a unix socket of the host.
func (h *Host) await(ctx context.Context, p *Process, socket string) error {
	const op = "testbed.libvirt"
	deadline := h.rack.clock.Mono() + serviceWait
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", h.Path(socket))
		if err == nil {
			return conn.Close()
		}
		if !p.Running() {
			return errs.Errorf(op, errs.Internal, "%s on %s ended at once: %s", p.Name(), h.name, p.LogTail())
		}
		if h.rack.clock.Mono() > deadline {
			return errs.E(op, errs.Internal, "", err)
		}
		if err := clock.Sleep(ctx, h.rack.clock, pollEvery); err != nil {
			return errs.E(op, errs.Unavailable, "", err)
		}
	}
}
