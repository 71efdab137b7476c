package testbed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const domainXML = `<domain type='qemu'>
  <name>%[1]s</name>
  <memory unit='MiB'>96</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>%[2]s/vmlinuz</kernel>
    <initrd>%[2]s/initrd.gz</initrd>
    <cmdline>console=ttyS0 quiet kvorum.metadata_wait=0</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='%[2]s/disk.raw'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='ethernet'>
      <target dev='tap0'/>
      <model type='virtio'/>
    </interface>
    <serial type='file'><source path='/var/log/libvirt/qemu/%[1]s-serial.log'/></serial>
  </devices>
</domain>
`

func startGuest(ctx context.Context, t *testing.T, h *Host, name string) (serial string) {
	t.Helper()
	images := guestImages(ctx, t)
	for _, f := range []string{"vmlinuz", "initrd.gz", "disk.raw"} {
		if out, err := exec.CommandContext(ctx, "cp", filepath.Join(images, f), h.DataDir()).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	xml := filepath.Join(h.DataDir(), name+".xml")
	if err := os.WriteFile(xml, fmt.Appendf(nil, domainXML, name, h.DataDir()), 0o644); err != nil {
		t.Fatal(err)
	}
	output(ctx, t, h, "virsh", "-c", "qemu:///system", "create", xml)
	return h.Path("/var/log/libvirt/qemu/" + name + "-serial.log")
}

// says waits until the guest has said the line on its serial console.
func says(ctx context.Context, t *testing.T, serial, line string) {
	t.Helper()
	defer func(s time.Time) { t.Logf("%s after %v", line, time.Since(s)) }(time.Now())
	t.Helper()
	eventually(ctx, t, "guest says "+line, func() bool {
		text, _ := os.ReadFile(serial)
		return strings.Contains(string(text), "KVORUM-GUEST: "+line)
	})
}

func startLibvirt(ctx context.Context, t *testing.T, h *Host) {
	t.Helper()
	if err := h.StartLibvirt(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestGuestOnOneOfTwoHosts(t *testing.T) {
	t.Parallel()
	ctx, o := testOptions(t, "kvtg")
	before := ownInventory(ctx, t, o.Prefix, o.Dir)
	rack, err := New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			_ = rack.Close(context.WithoutCancel(ctx))
		}
	}()
	a, b := addHost(ctx, t, rack, "a"), addHost(ctx, t, rack, "b")
	for _, h := range []*Host{a, b} {
		startLibvirt(ctx, t, h)
		if got := output(ctx, t, h, "virsh", "-c", "qemu:///system", "capabilities"); !strings.Contains(got, "<uuid>"+h.UUID()+"</uuid>") {
			t.Errorf("%s: the machine has another uuid than %s", h.Name(), h.UUID())
		}
	}
	serial := startGuest(ctx, t, a, "kvtg-guest")
	says(ctx, t, serial, "booting")
	if got := output(ctx, t, b, "virsh", "-c", "qemu:///system", "list", "--all", "--name"); got != "" {
		t.Errorf("b has guests: %q", got)
	}
	// From outside the host, by its socket.
	out, err := exec.CommandContext(ctx, "virsh", "-c", a.LibvirtURI(), "list", "--name").Output()
	if err != nil || strings.TrimSpace(string(out)) != "kvtg-guest" {
		t.Errorf("virsh from outside: %q, %v", out, err)
	}
	// A guest outlives the libvirtd that started it, and the next one finds it.
	if err := a.Kill(libvirtd); err != nil {
		t.Fatal(err)
	}
	startLibvirt(ctx, t, a)
	says(ctx, t, serial, "no metadata")
	says(ctx, t, serial, "ready")
	output(ctx, t, a, "virsh", "-c", "qemu:///system", "shutdown", "kvtg-guest")
	says(ctx, t, serial, "stopped")
	eventually(ctx, t, "guest is gone", func() bool {
		return output(ctx, t, a, "virsh", "-c", "qemu:///system", "list", "--name") == ""
	})
	// One more, to be there when the rack goes.
	startGuest(ctx, t, b, "kvtg-left")
	inside := members(rack.state)
	if len(inside) < 5 {
		t.Errorf("found only %v in the rack: want two libvirtd, two virtlogd and a guest", inside)
	}
	closed = true
	if err := rack.Close(ctx); err != nil {
		t.Fatal(err)
	}
	checkNothingLeft(ctx, t, before, o, inside)
}

func checkNothingLeft(ctx context.Context, t *testing.T, before Inventory, o Options, inside []member) {
	t.Helper()
	for _, m := range inside {
		if alive(m.pid, m.started) {
			t.Errorf("%s (%d) runs on", m.comm, m.pid)
		}
	}
	// The empty folder was the test's own making.
	after := append(ownInventory(ctx, t, o.Prefix, o.Dir), "file "+o.Dir)
	if diff := before.Diff(after); len(diff) > 0 {
		t.Errorf("the rack changed the machine:\n%s", strings.Join(diff, "\n"))
	}
}
