//go:build libvirt_dlopen

package libvirt

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lv "libvirt.org/go/libvirt"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

const (
	foreignID = "11111111-2222-4333-8444-555555555555"
	cloneID   = "11111111-2222-4333-8444-666666666666"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func lookAt(t *testing.T, d *Driver, id string) hostagent.Have {
	t.Helper()
	h, err := d.Look(ctxOf(t), id)
	must(t, err)
	return h
}

func says(t *testing.T, d *Driver, text string) {
	t.Helper()
	wait(t, "the console to say "+text, func() bool {
		b, err := d.Console(ctxOf(t), testID, 1<<20)
		must(t, err)
		return bytes.Contains(b, []byte(text))
	})
}

// drain empties the events, to see the next one.
func drain(d *Driver) {
	for {
		select {
		case <-d.Events():
		default:
			return
		}
	}
}

func sawEvent(t *testing.T, d *Driver) {
	t.Helper()
	wait(t, "an event", func() bool {
		select {
		case id, ok := <-d.Events():
			if !ok || id != testID {
				t.Fatalf("event of %q, %v", id, ok)
			}
			return true
		default:
			return false
		}
	})
}

// strangers puts two domains on the host that are not ours: one of somebody
// else, and a copy of ours, mark included.
func strangers(t *testing.T, conn *lv.Connect) {
	t.Helper()
	own, err := encodeMark(testSpec())
	must(t, err)
	for id, metadata := range map[string]string{foreignID: "", cloneID: own} {
		_, err := conn.DomainDefineXML(`<domain type='qemu'><name>x-` + id + `</name><uuid>` + id + `</uuid><metadata>` +
			metadata + `</metadata><memory>65536</memory><os><type arch='x86_64'>hvm</type></os></domain>`)
		must(t, err)
	}
}

// The whole life of a guest on a real host.
func TestDriver_Life(t *testing.T) {
	r := newRig(t)
	d := r.open()
	strangers(t, r.raw())
	spec := r.pair()
	ctx := ctxOf(t)

	if h := lookAt(t, d, testID); h != (hostagent.Have{ID: testID, State: assign.Missing}) {
		t.Fatalf("before its definition: %+v", h)
	}
	must(t, d.Shutdown(ctx, testID))
	must(t, d.Kill(ctx, testID))
	must(t, d.Remove(ctx, testID))
	if err := d.Start(ctx, testID); !errs.Is(err, errs.NotFound) {
		t.Fatalf("an undefined guest was started: %v", err)
	}
	for range 2 {
		must(t, d.Define(ctx, spec))
		off := hostagent.Have{ID: testID, Num: 42, State: assign.Shutoff, Permit: 1017}
		if h := lookAt(t, d, testID); h != off {
			t.Fatalf("after its definition: %+v", h)
		}
	}

	drain(d)
	must(t, d.Start(ctxOf(t), testID))
	sawEvent(t, d)
	first := lookAt(t, d, testID)
	if first.State != assign.Running || first.Boot == "" || first.StoppedByGuest {
		t.Fatalf("after its start: %+v", first)
	}
	must(t, d.Start(ctxOf(t), testID))
	says(t, d, "KVORUM-GUEST: boots=1")
	if out, err := r.inside("ip", "-o", "link", "show", "master", testBridge); err != nil ||
		!bytes.Contains(out, []byte("kvt00000001")) || !bytes.Contains(out, []byte("mtu 1450")) {
		t.Errorf("the tap is not in the bridge: %s, %v", out, err)
	}

	spec.Guest.Permit = 2048
	must(t, d.Define(ctxOf(t), spec))
	again := first
	again.Permit = 2048
	if h := lookAt(t, d, testID); h != again {
		t.Fatalf("a new definition disturbed the guest: %+v, want %+v", h, again)
	}
	if err := d.Remove(ctxOf(t), testID); !errs.Is(err, errs.Conflict) {
		t.Fatalf("a running guest was removed: %v", err)
	}

	t.Run("another agent", func(t *testing.T) { anotherAgent(t, r, again) })
	t.Run("libvirtd restarts", func(t *testing.T) { daemonRestarts(t, r, d, again) })
	t.Run("libvirtd hangs", func(t *testing.T) { daemonHangs(t, r, d, again) })
	t.Run("stops and starts", func(t *testing.T) { stopsAndStarts(t, d, first) })
	t.Run("crashes", func(t *testing.T) {
		must(t, d.Start(ctxOf(t), testID))
		r.do("crash")
		wait(t, "the crash", func() bool { return lookAt(t, d, testID).State == assign.Crashed })
	})
	t.Run("removed", func(t *testing.T) { removed(t, r, d) })
}

func anotherAgent(t *testing.T, r *rig, want hostagent.Have) {
	second := r.open()
	all, err := second.List(ctxOf(t))
	must(t, err)
	if len(all) != 1 || all[0] != want {
		t.Errorf("a new driver lists %+v, want only %+v", all, want)
	}
	must(t, second.Close())
	must(t, second.Close())
	if _, ok := <-second.Events(); ok {
		// What waited may still be read; the end comes after it.
		for range second.Events() {
		}
	}
	if _, err := second.List(ctxOf(t)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a closed driver answers: %v", err)
	}
}

func daemonRestarts(t *testing.T, r *rig, d *Driver, want hostagent.Have) {
	r.do("kill")
	wait(t, "the loss to be seen", func() bool {
		_, err := d.Look(ctxOf(t), testID)
		if err != nil && !errs.KindOf(err).Retryable() {
			t.Fatal("a lost connection looks permanent:", err)
		}
		return err != nil
	})
	if err := d.Kill(ctxOf(t), testID); !errs.Is(err, errs.Unavailable) {
		t.Errorf("without a daemon Kill gives %v", err)
	}
	drain(d)
	r.do("start")
	sawEvent(t, d)
	if h := lookAt(t, d, testID); h != want {
		t.Errorf("after libvirtd's restart: %+v, want %+v", h, want)
	}
}

// A call that hangs ends with its context, and no other change of its guest
// begins before it ended.
func daemonHangs(t *testing.T, r *rig, d *Driver, want hostagent.Have) {
	r.do("freeze")
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := d.Start(short, testID); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a call that hangs gives %v", err)
	}
	if err := d.Kill(ctxOf(t), testID); !errs.Is(err, errs.Busy) {
		t.Errorf("beside a call that hangs, Kill gives %v", err)
	}
	r.do("thaw")
	wait(t, "the call to end", func() bool {
		err := d.Start(ctxOf(t), testID)
		if err != nil && !errs.KindOf(err).Retryable() {
			t.Fatal(err)
		}
		return err == nil
	})
	if h := lookAt(t, d, testID); h != want {
		t.Errorf("after the hang: %+v, want %+v", h, want)
	}
}

func stopsAndStarts(t *testing.T, d *Driver, first hostagent.Have) {
	drain(d)
	must(t, d.Shutdown(ctxOf(t), testID))
	wait(t, "the guest to stop", func() bool { return lookAt(t, d, testID).State == assign.Shutoff })
	sawEvent(t, d)
	if h := lookAt(t, d, testID); !h.StoppedByGuest || h.Boot != "" {
		t.Errorf("after a graceful stop: %+v", h)
	}
	says(t, d, "KVORUM-GUEST: stopped")
	must(t, d.Shutdown(ctxOf(t), testID))

	must(t, d.Start(ctxOf(t), testID))
	second := lookAt(t, d, testID)
	if second.State != assign.Running || second.Boot == first.Boot {
		t.Errorf("after the second start: %+v; the first was %q", second, first.Boot)
	}
	says(t, d, "KVORUM-GUEST: boots=2") // the same disk

	for range 2 {
		must(t, d.Kill(ctxOf(t), testID))
		if h := lookAt(t, d, testID); h.State != assign.Shutoff || h.StoppedByGuest || h.Boot != "" {
			t.Errorf("after a kill: %+v", h)
		}
	}
}

func removed(t *testing.T, r *rig, d *Driver) {
	logs, err := filepath.Glob(filepath.Join(r.top, "instances", testID, consoleFile+"*"))
	must(t, err)
	var total int64
	for _, f := range logs {
		st, err := os.Stat(f)
		must(t, err)
		total += st.Size()
	}
	if len(logs) < 2 || total > 3*rigLogSize {
		t.Errorf("virtlogd did not hold its bound: %d files with %d bytes", len(logs), total)
	}
	for range 2 {
		must(t, d.Remove(ctxOf(t), testID))
	}
	left, err := os.ReadDir(filepath.Join(r.top, "instances"))
	must(t, err)
	if len(left) != 0 {
		t.Errorf("left in the instances folder: %v", left)
	}
	if h := lookAt(t, d, testID); h.State != assign.Missing {
		t.Errorf("after its removal: %+v", h)
	}
	if out, err := r.inside("ip", "-o", "link"); err != nil || bytes.Contains(out, []byte("kvt00000001")) {
		t.Errorf("the tap is still there: %s, %v", out, err)
	}
	for _, f := range []string{"disk.raw", "vmlinuz", "initrd.gz"} {
		st, err := os.Stat(filepath.Join(r.top, "images", f))
		if err != nil || st.Mode().Perm() != 0o644 {
			t.Errorf("the cached %s: %v, %v", f, st, err)
		}
	}
}

// What is not ours is not touched, whatever the driver is asked.
func TestDriver_Strangers(t *testing.T) {
	r := newRig(t)
	d := r.open()
	conn := r.raw()
	strangers(t, conn)
	before := map[string]string{}
	snapshot := func(id string) string {
		dom, err := conn.LookupDomainByUUIDString(id)
		must(t, err)
		defer func() { _ = dom.Free() }()
		text, err := dom.GetXMLDesc(0)
		must(t, err)
		return text
	}
	for _, id := range []string{foreignID, cloneID} {
		before[id] = snapshot(id)
	}
	for _, id := range []string{foreignID, cloneID} {
		spec := r.pair()
		spec.Guest.ID = id
		for name, err := range map[string]error{
			"define":   d.Define(ctxOf(t), spec),
			"start":    d.Start(ctxOf(t), id),
			"shutdown": d.Shutdown(ctxOf(t), id),
			"kill":     d.Kill(ctxOf(t), id),
			"remove":   d.Remove(ctxOf(t), id),
		} {
			if !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Message(err), "Kvorum did not make") {
				t.Errorf("%s of a stranger gives %v", name, err)
			}
		}
		if h := lookAt(t, d, id); h.State != assign.Missing {
			t.Errorf("a stranger is seen: %+v", h)
		}
		if snapshot(id) != before[id] {
			t.Errorf("a stranger was changed:\n%s", snapshot(id))
		}
	}
	if all, err := d.List(ctxOf(t)); err != nil || len(all) != 0 {
		t.Errorf("strangers are listed: %+v, %v", all, err)
	}
	// A name that is taken, by whomever.
	must(t, d.Define(ctxOf(t), r.pair()))
	same := r.pair()
	same.Guest.ID = "99999999-2222-4333-8444-555555555555"
	if err := d.Define(ctxOf(t), same); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second guest of one name: %v", err)
	}
}

// A disk that boots by itself, and one that came on a disc.
func TestDriver_Disks(t *testing.T) {
	r := newRig(t)
	d := r.open()
	spec := testSpec()
	spec.Guest.RAM, spec.Guest.Disk, spec.ImageFile = 128, 1, r.image("guest.qcow2")
	must(t, d.Define(ctxOf(t), spec))
	must(t, d.Start(ctxOf(t), testID))
	says(t, d, "disk=vda bytes=1073741824")
	says(t, d, "boots=1")
	must(t, d.Kill(ctxOf(t), testID))
	must(t, d.Remove(ctxOf(t), testID))

	iso := spec
	iso.Guest.Image.Format, iso.ImageFile = "iso", r.image("disk.raw")
	must(t, d.Define(ctxOf(t), iso))
	must(t, d.Start(ctxOf(t), testID))
	must(t, d.Kill(ctxOf(t), testID))
}

func TestDriver_Capacity(t *testing.T) {
	r := newRig(t)
	d := r.open()
	c, err := d.Capacity(ctxOf(t))
	must(t, err)
	if c.VCPUs < 1 || c.RAM < 512 || c.Disk < 1 || len(c.Archs) != 1 || c.Archs[0] == "" ||
		c.Hypervisor != "QEMU" || c.HypervisorVersion < 1_000_000 || !strings.Contains(c.CPUInfo, `"topology"`) {
		t.Errorf("%+v", c)
	}
	if _, err := os.Stat("/dev/kvm"); os.IsNotExist(err) && d.Type() != QEMU {
		t.Errorf("without /dev/kvm guests get the type %s", d.Type())
	}
}

// Where virtlogd does not write the log, the driver's own cut keeps the bound.
func TestDriver_ConsoleWithoutVirtlogd(t *testing.T) {
	r := newRig(t, `stdio_handler = "file"`)
	d := r.open()
	must(t, d.Define(ctxOf(t), r.pair()))
	must(t, d.Start(ctxOf(t), testID))
	says(t, d, "KVORUM-GUEST: boots=1")
	path := filepath.Join(r.top, "instances", testID, consoleFile)
	if st, err := os.Stat(path); err != nil || st.Size() <= rigLogSize {
		t.Fatalf("virtlogd seems to have a hand in it: %v, %v", st.Size(), err)
	}
	must(t, d.store.trimAll(rigLogSize))
	must(t, d.Shutdown(ctxOf(t), testID))
	says(t, d, "KVORUM-GUEST: stopped")
	wait(t, "the guest to stop", func() bool { return lookAt(t, d, testID).State == assign.Shutoff })
	b, err := os.ReadFile(path)
	must(t, err)
	if len(b) > rigLogSize || bytes.IndexByte(b, 0) >= 0 {
		t.Errorf("after the cut the log has %d bytes, or a hole", len(b))
	}
}

// A driver without a daemon opens, refuses as unavailable, and closes.
func TestDriver_NoDaemon(t *testing.T) {
	dir := t.TempDir()
	d, err := Open(Options{URI: "qemu+unix:///system?socket=" + dir + "/none", InstancesDir: dir})
	must(t, err)
	if _, err := d.List(ctxOf(t)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
	must(t, d.Close())
}

func TestStateOf(t *testing.T) {
	for _, c := range []struct {
		state  lv.DomainState
		reason int
		want   assign.State
		itself bool
	}{
		{lv.DOMAIN_NOSTATE, 0, assign.Running, false},
		{lv.DOMAIN_RUNNING, int(lv.DOMAIN_RUNNING_BOOTED), assign.Running, false},
		{lv.DOMAIN_BLOCKED, 0, assign.Running, false},
		{lv.DOMAIN_SHUTDOWN, 0, assign.Running, false},
		{lv.DOMAIN_PAUSED, int(lv.DOMAIN_PAUSED_USER), assign.Paused, false},
		{lv.DOMAIN_PAUSED, int(lv.DOMAIN_PAUSED_IOERROR), assign.Paused, false},
		{lv.DOMAIN_PAUSED, int(lv.DOMAIN_PAUSED_STARTING_UP), assign.Running, false},
		{lv.DOMAIN_PMSUSPENDED, 0, assign.Paused, false},
		{lv.DOMAIN_CRASHED, 0, assign.Crashed, false},
		{lv.DOMAIN_SHUTOFF, int(lv.DOMAIN_SHUTOFF_SHUTDOWN), assign.Shutoff, true},
		{lv.DOMAIN_SHUTOFF, int(lv.DOMAIN_SHUTOFF_DESTROYED), assign.Shutoff, false},
		{lv.DOMAIN_SHUTOFF, int(lv.DOMAIN_SHUTOFF_CRASHED), assign.Crashed, false},
		{lv.DOMAIN_SHUTOFF, int(lv.DOMAIN_SHUTOFF_UNKNOWN), assign.Shutoff, false},
		{lv.DOMAIN_SHUTOFF, int(lv.DOMAIN_SHUTOFF_FAILED), assign.Shutoff, false},
	} {
		if got, itself := stateOf(c.state, c.reason); got != c.want || itself != c.itself {
			t.Errorf("state %d, reason %d: %s, %v; want %s, %v", c.state, c.reason, got, itself, c.want, c.itself)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		err  error
		want errs.Kind
	}{
		{lv.Error{Code: lv.ERR_NO_CONNECT}, errs.Unavailable},
		{lv.Error{Code: lv.ERR_INTERNAL_ERROR, Domain: lv.FROM_RPC, Message: "client socket is closed"}, errs.Unavailable},
		{lv.Error{Code: lv.ERR_SYSTEM_ERROR, Domain: lv.FROM_RPC, Message: "Cannot recv data"}, errs.Unavailable},
		{lv.Error{Code: lv.ERR_OPERATION_TIMEOUT}, errs.Busy},
		{lv.Error{Code: lv.ERR_INTERNAL_ERROR, Domain: lv.FROM_QEMU, Message: "qemu exited"}, errs.Internal},
		{lv.Error{Code: lv.ERR_NO_DOMAIN}, errs.NotFound},
		{lv.Error{Code: lv.ERR_XML_ERROR}, errs.Unsupported},
		{context.DeadlineExceeded, errs.Unavailable},
		{errs.Errorf("x", errs.Conflict, "y"), errs.Conflict},
	} {
		if got := wrap("op", c.err); errs.KindOf(got) != c.want {
			t.Errorf("%v became %v, want %v", c.err, errs.KindOf(got), c.want)
		}
	}
	long := lv.Error{Code: lv.ERR_INTERNAL_ERROR, Message: strings.Repeat("x", 5000) + "\nsecond line"}
	if got := errs.Message(wrap("op", long)); len(got) > 400 || strings.Contains(got, "second") {
		t.Errorf("a user would read %q", got)
	}
}
