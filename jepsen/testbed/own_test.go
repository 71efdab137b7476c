package testbed

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// TestFoldersOfTheirOwn lets two hosts write into folders that each has to
// itself, and looks that it is so, also after a power cut and for the machine.
func TestFoldersOfTheirOwn(t *testing.T) {
	t.Parallel()
	ctx, o := testOptions(t, "kvtw")
	o.Own = []string{"/etc", "/root", "/var/lib"}
	rack := newRack(ctx, t, o)
	a, b := addHost(ctx, t, rack, "a"), addHost(ctx, t, rack, "b")
	const file = "/etc/rack-test/file"
	for _, h := range []*Host{a, b} {
		output(ctx, t, h, "sh", "-c", "mkdir /etc/rack-test /var/lib/rack-test && hostname >"+file)
	}
	for _, seen := range []string{"/etc/rack-test", "/var/lib/rack-test"} {
		if _, err := os.Stat(seen); err == nil {
			t.Errorf("the machine sees %s", seen)
		}
	}
	if err := rack.CutPower(ctx, b); err != nil {
		t.Fatal(err)
	}
	if err := b.PowerOn(ctx); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*Host{a, b} {
		if got := output(ctx, t, h, "cat", file); got != h.Name() {
			t.Errorf("%s reads %q", h.Name(), got)
		}
		if got, err := os.ReadFile(h.Path(file)); err != nil || string(got) != h.Name()+"\n" {
			t.Errorf("from outside the file of %s reads %q, %v", h.Name(), got, err)
		}
		// What the machine has is there, and the hosts' private files too.
		output(ctx, t, h, "sh", "-c", "test -e /etc/passwd && test -d /var/lib/dpkg && grep -q "+h.Address().String()+" /etc/hosts")
		if got := output(ctx, t, h, "stat", "-c", "%a %u", "/root"); got != output(ctx, t, rack.Outside(), "stat", "-c", "%a %u", "/root") {
			t.Errorf("/root is %s", got)
		}
		if err := h.StartLibvirt(ctx); err != nil {
			t.Error(err)
		}
	}
	same, err := Attach(rack.Dir(), clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	if h, err := same.Host("a"); err != nil || h.Path(file) != filepath.Join(h.dir, "own/etc/upper/rack-test/file") {
		t.Errorf("another process does not find the file: %v", err)
	}
}

func TestAddressesOfChoice(t *testing.T) {
	t.Parallel()
	ctx, o := testOptions(t, "kvtb")
	o.Range = netip.MustParsePrefix("192.0.2.0/24")
	rack := newRack(ctx, t, o)
	at := func(name, address string) error {
		_, err := rack.AddHostAt(ctx, name, netip.MustParseAddr(address))
		return err
	}
	if err := at("a", "192.0.2.99"); err != nil {
		t.Fatal(err)
	}
	for address, kind := range map[string]errs.Kind{"192.0.2.99": errs.Conflict, "192.0.2.0": errs.Invalid, "192.0.2.254": errs.Invalid,
		"192.0.2.253": errs.Invalid, "192.0.2.255": errs.Invalid, "192.0.3.1": errs.Invalid, "2001:db8::1": errs.Invalid} {
		if err := at("b", address); !errs.Is(err, kind) {
			t.Errorf("a host at %s: %v, want %v", address, err, kind)
		}
	}
	if b := addHost(ctx, t, rack, "b"); !pings(ctx, b, "192.0.2.99") {
		t.Error("b does not reach the host at the chosen address")
	}
}
