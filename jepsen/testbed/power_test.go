package testbed

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

// TestPowerCut takes the power from two hosts of three: what they had in memory
// is gone, what they had on disk is there, and the third one noticed nothing.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	ctx, rack := testRack(t, "kvto")
	a, b, c := addHost(ctx, t, rack, "a"), addHost(ctx, t, rack, "b"), addHost(ctx, t, rack, "c")
	for _, h := range []*Host{a, b, c} {
		if err := h.StartLibvirt(ctx); err != nil {
			t.Fatal(err)
		}
		// A daemon that is known by its namespaces only, and a network of the host's own.
		output(ctx, t, h, "sh", "-c", "ip netns add own && touch /run/volatile "+filepath.Join(h.DataDir(), "kept")+
			" && ip netns exec own env -i setsid sleep 1000 >/dev/null 2>&1 &")
		eventually(ctx, t, "the daemon", func() bool { return len(daemons(h)) == 1 })
	}
	mac := output(ctx, t, a, "cat", "/sys/class/net/eth0/address")
	if other := output(ctx, t, b, "cat", "/sys/class/net/eth0/address"); other == mac {
		t.Error("two hosts have one hardware address")
	}
	boots, dying := map[string]string{}, append(daemons(a), daemons(b)...)
	for _, h := range rack.Hosts() {
		boots[h.Name()] = output(ctx, t, h, "cat", "/proc/sys/kernel/random/boot_id")
	}
	if boots["a"] == boots["b"] {
		t.Error("two hosts have booted as one")
	}
	if err := a.PowerOn(ctx); !errs.Is(err, errs.Conflict) {
		t.Errorf("power on with power: %v, want a conflict", err)
	}
	if err := rack.CutPower(ctx, rack.Outside()); !errs.Is(err, errs.Invalid) {
		t.Errorf("the outside without power: %v, want invalid", err)
	}
	for range 2 {
		if err := rack.CutPower(ctx, a, b); err != nil {
			t.Fatal(err)
		}
		checkDark(ctx, t, a)
		checkDark(ctx, t, b)
	}
	for _, p := range dying {
		if alive(p.pid, p.started) {
			t.Errorf("%s (%d) outlived its host's power", p.comm, p.pid)
		}
	}
	if pings(ctx, c, a.Address().String()) {
		t.Error("a host without power answers")
	}
	for _, h := range []*Host{a, b} {
		if err := h.PowerOn(ctx); err != nil {
			t.Fatal(err)
		}
		checkBooted(ctx, t, h, boots[h.Name()])
	}
	if got := output(ctx, t, a, "cat", "/sys/class/net/eth0/address"); got != mac {
		t.Errorf("a had the hardware address %s and now %s", mac, got)
	}
	if p, err := c.Process(libvirtd); err != nil || !p.Running() || len(daemons(c)) != 1 {
		t.Error("the power cut reached a host that was to keep its power")
	}
	if got := output(ctx, t, c, "cat", "/proc/sys/kernel/random/boot_id"); got != boots["c"] {
		t.Error("a host that kept its power has booted")
	}
}

// daemons are the host's processes of the name that the test starts.
func daemons(h *Host) []member {
	spaces := h.rack.state.spaces(h.name)
	return processes(func(pid string) bool {
		comm, _ := os.ReadFile("/proc/" + pid + "/comm")
		return string(comm) == "sleep\n" && inside(pid, spaces)
	})
}

func checkDark(ctx context.Context, t *testing.T, h *Host) {
	t.Helper()
	if h.Powered() {
		t.Errorf("%s still has power", h.Name())
	}
	for _, p := range h.Processes() {
		if p.Running() {
			t.Errorf("%s runs on %s, which has no power", p.Name(), h.Name())
		}
	}
	if err := h.Command(ctx, "true").Run(); err == nil {
		t.Errorf("a program runs on %s, which has no power", h.Name())
	}
}

func checkBooted(ctx context.Context, t *testing.T, h *Host, before string) {
	t.Helper()
	if got := output(ctx, t, h, "cat", "/proc/sys/kernel/random/boot_id"); got == before {
		t.Errorf("%s has not booted anew", h.Name())
	}
	if got := output(ctx, t, h, "sh", "-c", "ip netns list; [ ! -e /run/volatile ] || echo volatile"); got != "" {
		t.Errorf("of what %s had in memory there is %q", h.Name(), got)
	}
	output(ctx, t, h, "ls", filepath.Join(h.DataDir(), "kept"))
	if !pings(ctx, h, h.rack.Outside().Address().String()) {
		t.Errorf("%s has no network", h.Name())
	}
	if err := h.StartLibvirt(ctx); err != nil {
		t.Errorf("libvirt after the power cut: %v", err)
	}
}
