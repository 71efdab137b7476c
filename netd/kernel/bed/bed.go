package bed

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kvorum/kvorum/netd/kernel"
)

// Bed is one rack, for one test.
type Bed struct {
	// Prefix is for the Config: no other bed on this machine has it.
	Prefix string
	// Host is the namespace that plays the host's root namespace.
	Host string
	t    testing.TB
}

var made atomic.Uint32

// New lays out a host with nothing in it. Without root the test is skipped:
// namespaces can't be made then.
func New(t testing.TB) *Bed {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes network namespaces")
	}
	b := &Bed{Prefix: freePrefix(t), t: t}
	b.Host = b.Space("host")
	t.Cleanup(b.sweep)
	b.add(b.Host)
	return b
}

// freePrefix gives three characters with which no namespace of this machine
// begins, nor will one of a cloud: those begin with "kv". Process id and count
// keep tests that run at once apart.
func freePrefix(t testing.TB) string {
	t.Helper()
	for range 100 {
		n := uint64(os.Getpid())*64 + uint64(made.Add(1))
		p := "0" + strconv.FormatUint(n%(36*36), 36)
		p = string('a'+byte(n/(36*36)%26)) + p[len(p)-2:]
		begins := func(name string) bool { return strings.HasPrefix(name, p) }
		if !strings.HasPrefix(p, "kv") && !slices.ContainsFunc(spaces(t), begins) {
			return p
		}
	}
	t.Fatal("bed: no prefix is free")
	return ""
}

// spaces are the names of all namespaces of this machine.
func spaces(t testing.TB) []string {
	entries, err := os.ReadDir("/run/netns")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("bed: %v", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Space is the name of one of the bed's own namespaces; netd owns none of
// these names.
func (b *Bed) Space(name string) string { return b.Prefix + "-" + name }

// Path is where a namespace is mounted.
func Path(space string) string { return filepath.Join("/run/netns", space) }

func (b *Bed) add(space string) {
	b.t.Helper()
	b.IP("netns", "add", space)
	b.IP("-n", space, "link", "set", "lo", "up")
}

func (b *Bed) sweep() {
	// Veths go with either end, so links need no sweeping of their own.
	for _, name := range spaces(b.t) {
		if strings.HasPrefix(name, b.Prefix) {
			if out, err := run("ip", "netns", "del", name); err != nil {
				b.t.Errorf("bed: %v: %s", err, out)
			}
		}
	}
}

func run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

// IP runs the ip command; it must succeed.
func (b *Bed) IP(args ...string) {
	b.t.Helper()
	if out, err := run("ip", args...); err != nil {
		b.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// Run runs a command in a namespace and gives what it printed.
func (b *Bed) Run(space string, args ...string) (string, error) {
	return run("ip", append([]string{"netns", "exec", space}, args...)...)
}

// Must is Run for a command that must succeed.
func (b *Bed) Must(space string, args ...string) string {
	b.t.Helper()
	out, err := b.Run(space, args...)
	if err != nil {
		b.t.Fatalf("in %s: %s: %v: %s", space, strings.Join(args, " "), err, out)
	}
	return out
}

// Guest makes a namespace with a link eth0 whose other end in the host is
// called tap, not plugged in anywhere. It gives the namespace's name.
func (b *Bed) Guest(name, tap, mac string) string {
	b.t.Helper()
	space := b.Space(name)
	b.add(space)
	b.Must(space, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
	b.IP("-n", b.Host, "link", "add", tap, "type", "veth", "peer", "name", "eth0", "netns", space)
	b.IP("-n", space, "link", "set", "eth0", "address", mac)
	b.IP("-n", space, "link", "set", "eth0", "up")
	return space
}

// Configure gives a guest its address and default route by hand.
func (b *Bed) Configure(space, addr, gateway string) {
	b.t.Helper()
	b.IP("-n", space, "addr", "replace", addr, "dev", "eth0")
	b.IP("-n", space, "route", "replace", "default", "via", gateway)
}

// Outside makes a namespace that plays the world, joined to the host by a
// link with these addresses. It gives the namespace's name.
func (b *Bed) Outside(outside, host string) string {
	b.t.Helper()
	space := b.Space("out")
	b.add(space)
	b.IP("-n", b.Host, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", space)
	b.IP("-n", space, "addr", "add", outside, "dev", "eth0")
	b.IP("-n", space, "link", "set", "eth0", "up")
	b.IP("-n", b.Host, "addr", "add", host, "dev", "eth0")
	b.IP("-n", b.Host, "link", "set", "eth0", "up")
	return space
}

// Kernel is the host's network as netd sees it.
func (b *Bed) Kernel() *kernel.Kernel {
	return kernel.New(kernel.Options{Prefix: b.Prefix, Root: Path(b.Host)})
}

// In runs f with the thread in a namespace.
func (b *Bed) In(space string, f func() error) {
	b.t.Helper()
	if err := kernel.New(kernel.Options{Root: Path(space)}).Enter("", f); err != nil {
		b.t.Fatalf("in %s: %v", space, err)
	}
}

// ExitCode tells how a command run by Run ended; 0 for success.
func ExitCode(err error) int {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	return 0
}
