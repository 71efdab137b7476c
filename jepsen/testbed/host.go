package testbed

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// Host is one machine of the rack: a network, mount and UTS namespace, with
// private folders for libvirt and /run.
type Host struct {
	rack    *Rack
	name    string
	address netip.Addr
	uuid    string
	dir     string
}

func newHost(r *Rack, s hostState) *Host {
	return &Host{rack: r, name: s.Name, address: s.Address, uuid: s.UUID, dir: r.state.hostDir(s.Name)}
}

// AddHost makes a host. name is 1 to 12 lower-case letters, digits and dashes.
// Conflict if the name is taken. After an error the rack can only be closed.
func (r *Rack) AddHost(ctx context.Context, name string) (*Host, error) {
	if !hostRule.MatchString(name) || name == outsideName || name == switchName || name == rootName {
		return nil, errs.Errorf("testbed.host", errs.Invalid, "%q is no name for a host", name)
	}
	if err := r.wired(); err != nil {
		return nil, err
	}
	r.layout.Lock()
	defer r.layout.Unlock()
	h, err := r.addSpace(ctx, name, func(n int) netip.Addr { return nth(r.state.Range, 10+n) })
	if err != nil {
		return nil, err
	}
	return h, r.ip(ctx, name, fmt.Sprintf("route add default via %v dev eth0", nth(r.state.Range, -2)))
}

func (r *Rack) makeOutside(ctx context.Context) error {
	if _, err := r.addSpace(ctx, outsideName, func(int) netip.Addr { return nth(r.state.Range, -2) }); err != nil {
		return err
	}
	return r.steps(ctx, outsideName, []string{
		fmt.Sprintf("addr add %v/%d dev eth1", nth(r.state.External, 1), r.state.External.Bits()),
		"addr add " + worldAddress + "/32 dev lo",
	})
}

// addSpace makes a host's namespaces and wires. at gives the address of its
// eth0 from its place in the rack: the outside's is 0.
func (r *Rack) addSpace(ctx context.Context, name string, at func(n int) netip.Addr) (*Host, error) {
	const op = "testbed.host"
	r.mu.Lock()
	n, taken := len(r.state.Hosts), r.hosts[name] != nil
	r.mu.Unlock()
	if taken {
		return nil, errs.Errorf(op, errs.Conflict, "the rack has a host %q already", name)
	}
	if n > maxHosts {
		return nil, errs.Errorf(op, errs.Invalid, "a rack has at most %d hosts", maxHosts)
	}
	if _, err := os.Stat(netnsPath(r.state.netns(name))); err == nil {
		return nil, errs.Errorf(op, errs.Conflict, "a namespace %s exists already", r.state.netns(name))
	}
	id, err := newUUID()
	if err != nil {
		return nil, err
	}
	s := hostState{Name: name, Address: at(n), UUID: id}
	h := newHost(r, s)
	if err := r.change(func(all *state) {
		all.Hosts = append(all.Hosts, s)
		r.hosts[name] = h
	}); err != nil {
		return nil, err
	}
	if err := r.run(ctx, "ip", "netns", "add", r.state.netns(name)); err != nil {
		return nil, err
	}
	if err := r.plug(ctx, h); err != nil {
		return nil, err
	}
	return h, h.mount(ctx)
}

func newUUID() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", errs.E("testbed.uuid", errs.Internal, "", err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// Name is the host's name in the rack and its hostname.
func (h *Host) Name() string { return h.name }

// Address is that of eth0.
func (h *Host) Address() netip.Addr { return h.address }

// UUID is what the host's libvirt calls the machine.
func (h *Host) UUID() string { return h.uuid }

// Netns is the name of the host's network namespace, as `ip netns` knows it.
func (h *Host) Netns() string { return h.rack.state.netns(h.name) }

// DataDir is a folder of the host for what callers keep there: the same path
// inside and outside, open to all, removed with the rack.
func (h *Host) DataDir() string { return filepath.Join(h.dir, "data") }

// Path tells where a file in one of the host's private places is seen from
// outside the host; other paths are the machine's and stay as they are.
func (h *Host) Path(inside string) string {
	for _, p := range slices.Concat(privateFolders, privateFiles) {
		if rest, ok := strings.CutPrefix(inside, p.target); ok && (rest == "" || rest[0] == '/') {
			return filepath.Join(h.dir, p.source) + rest
		}
	}
	return inside
}

// Command prepares a program to run on the host, in the folder /. When ctx
// ends it is killed. The rack's mark is in its environment.
func (h *Host) Command(ctx context.Context, argv ...string) *exec.Cmd {
	full := h.enter(argv)
	cmd := exec.CommandContext(ctx, full[0], full[1:]...)
	cmd.Env = h.rack.environ()
	return cmd
}

// enter is the command line that runs argv on the host. nsenter turns itself
// into the program, so that the process id is the program's.
func (h *Host) enter(argv []string) []string {
	s := &h.rack.state
	return append([]string{
		"nsenter", "--net=" + netnsPath(h.Netns()), "--mount=" + s.pin(h.name, "mnt"), "--uts=" + s.pin(h.name, "uts"), "--",
	}, argv...)
}
