//go:build libvirt_dlopen

package libvirt

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	lv "libvirt.org/go/libvirt"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
)

const testBridge = "kvbtest"

// rig is a host of its own: libvirt's daemons in private namespaces for
// processes, mounts and network. All of it ends with its first process, which
// ends when its standard input does, also when the test is killed.
type rig struct {
	t   *testing.T
	top string
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// rigScript is the first process. It obeys one word a line and answers ok. It is
// bash's because that reaps orphans at once, as a first process must: libvirt
// waits until a QEMU that it killed is gone.
const rigScript = `
set -eu
top=$1
mount --make-rprivate /
for d in etc/libvirt run var/lib/libvirt var/cache/libvirt var/log/libvirt; do
	mount --bind "$top/$d" "/$d"
done
# A machine may have a KVM that works for nobody here: libvirt would ask QEMU
# about it again with every question.
mkdir "$top/dev"
mount -t tmpfs tmpfs "$top/dev"
mkdir "$top/dev/net" "$top/dev/pts" "$top/dev/shm"
for f in null zero full random urandom tty ptmx net/tun; do
	: >"$top/dev/$f"
	mount --bind "/dev/$f" "$top/dev/$f"
done
mount --rbind /dev/pts "$top/dev/pts"
mount --rbind "$top/dev" /dev
umount -R -l "$top/dev"
mount -t proc proc /proc
mount -t sysfs sysfs /sys
hostname rig
ip link set lo up
ip link add ` + testBridge + ` type bridge
ip link set ` + testBridge + ` up
start() { libvirtd >>"$top/libvirtd.log" 2>&1 & daemon=$!; }
virtlogd >>"$top/virtlogd.log" 2>&1 &
start
echo ok
while read -r word; do
	case $word in
	start) start ;;
	kill) kill -KILL $daemon; wait $daemon 2>/dev/null || : ;;
	freeze) kill -STOP $daemon ;;
	thaw) kill -CONT $daemon ;;
	crash) for f in /run/libvirt/qemu/instance-*.pid; do kill -KILL $(cat "$f"); done ;;
	esac
	echo ok
done
`

// newRig starts a host whose qemu.conf has extra lines; it is ready when a
// driver connects.
func newRig(t *testing.T, extra ...string) *rig {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for namespaces")
	}
	top, err := os.MkdirTemp("", "kvorum-libvirt-") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	if err := os.Chmod(top, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"etc/libvirt", "run", "var/lib/libvirt", "var/cache/libvirt", "var/log/libvirt/qemu", "images"} {
		if err := os.MkdirAll(filepath.Join(top, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	qemu := append([]string{
		"cgroup_controllers = []", `security_driver = "none"`, "remember_owner = 0", "namespaces = []",
	}, extra...)
	for name, lines := range map[string][]string{
		"qemu.conf":     qemu,
		"libvirtd.conf": {`auth_unix_rw = "none"`, `host_uuid = "0d9f6a3e-94c5-4d2f-8f7b-2a1c3b4d5e6f"`},
		"virtlogd.conf": {"max_size = " + strconv.Itoa(rigLogSize), "max_backups = 2"},
	} {
		text := strings.Join(lines, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(top, "etc/libvirt", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := &rig{t: t, top: top}
	r.begin()
	return r
}

// rigLogSize is virtlogd's max_size in a rig: small, so that a boot rotates.
const rigLogSize = 8192

func (r *rig) begin() {
	r.t.Helper()
	r.cmd = exec.Command("bash", "-c", rigScript, "rig", r.top)
	r.cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS,
	}
	r.cmd.Stderr = os.Stderr
	in, err := r.cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	r.in, r.out = in, bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		_ = in.Close()
		_ = r.cmd.Wait()
		if r.t.Failed() {
			log, _ := os.ReadFile(filepath.Join(r.top, "libvirtd.log"))
			r.t.Logf("libvirtd said:\n%s", log[max(0, len(log)-4096):])
		}
	})
	r.answer()
}

// do gives the host one word of rigScript.
func (r *rig) do(word string) {
	r.t.Helper()
	if _, err := fmt.Fprintln(r.in, word); err != nil {
		r.t.Fatal(err)
	}
	r.answer()
}

func (r *rig) answer() {
	r.t.Helper()
	if line, err := r.out.ReadString('\n'); err != nil || line != "ok\n" {
		r.t.Fatalf("the rig answered %q, %v", line, err)
	}
}

func (r *rig) uri() string {
	return "qemu+unix:///system?socket=" + filepath.Join(r.top, "run/libvirt/libvirt-sock")
}

// raw is a connection past the driver.
func (r *rig) raw() *lv.Connect {
	r.t.Helper()
	conn, err := lv.NewConnect(r.uri())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _, _ = conn.Close() })
	return conn
}

// inside runs a command in the host's network.
func (r *rig) inside(args ...string) ([]byte, error) {
	return exec.Command("nsenter", append([]string{"-t", strconv.Itoa(r.cmd.Process.Pid), "-n", "--"}, args...)...).CombinedOutput()
}

// open makes a driver of the host and waits until it is connected.
func (r *rig) open() *Driver {
	r.t.Helper()
	d, err := Open(Options{
		URI: r.uri(), InstancesDir: filepath.Join(r.top, "instances"), Version: "test",
		HostUUID: "0d9f6a3e-94c5-4d2f-8f7b-2a1c3b4d5e6f",
		Log:      slog.New(slog.NewTextHandler(r.t.Output(), nil)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := d.Close(); err != nil {
			r.t.Error(err)
		}
	})
	wait(r.t, "the driver to connect", func() bool { _, err := d.List(ctxOf(r.t)); return err == nil })
	return d
}

// image puts a file of the guest image into the host's cache.
func (r *rig) image(name string) string {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(guestDir(r.t), name))
	if err != nil {
		r.t.Fatal(err)
	}
	path := filepath.Join(r.top, "images", name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// pair is a guest that boots from kernel and ramdisk, with a disk and one
// interface. Its console is as talkative as Linux can be.
func (r *rig) pair() hostagent.Spec {
	s := withKernel(testSpec())
	s.ImageFile, s.KernelFile, s.RamdiskFile = r.image("disk.raw"), r.image("vmlinuz"), r.image("initrd.gz")
	s.Guest.CommandLine = "console=ttyS0 no_timer_check ignore_loglevel"
	s.Guest.NICs = []assign.NIC{{PortID: "p", MAC: "fa:16:3e:00:00:01"}}
	s.Links = []hostagent.Link{{Tap: "kvt00000001", Bridge: testBridge, MAC: "fa:16:3e:00:00:01", MTU: 1450}}
	return s
}

// guestDir builds the small guest, once for all tests of the checkout.
func guestDir(t *testing.T) string {
	t.Helper()
	dir, err := builtGuest()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var builtGuest = sync.OnceValues(func() (string, error) {
	top, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(top, "out", "guest")
	out, err := exec.Command(filepath.Join(top, "hack", "guest", "build.sh"), dir).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("the test guest does not build: %w\n%s", err, out)
	}
	return dir, nil
})

func ctxOf(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// wait polls until ok, for at most a minute and a half: guests are emulated,
// and the machine is shared.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	for !ok() {
		if clock.Sleep(ctx, clock.Real{}, 50*time.Millisecond) != nil {
			t.Fatal("waited in vain for", what)
		}
	}
}
