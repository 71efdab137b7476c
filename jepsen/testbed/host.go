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
	return r.addHost(ctx, name, func(n int) netip.Addr { return nth(r.state.Range, 10+n) })
}

// AddHostAt is AddHost with an address of the caller's choice. Invalid if it is
// none of the rack's range for hosts, Conflict if a host has it.
func (r *Rack) AddHostAt(ctx context.Context, name string, address netip.Addr) (*Host, error) {
	all := r.state.Range
	if !all.Contains(address) || address == nth(all, 0) || address == nth(all, -1) || address == nth(all, -2) || address == nth(all, -3) {
		return nil, errs.Errorf("testbed.host", errs.Invalid, "%v is no address for a host of %v", address, all)
	}
	return r.addHost(ctx, name, func(int) netip.Addr { return address })
}

func (r *Rack) addHost(ctx context.Context, name string, at func(n int) netip.Addr) (*Host, error) {
	if !hostRule.MatchString(name) || name == outsideName || name == switchName || name == rootName {
		return nil, errs.Errorf("testbed.host", errs.Invalid, "%q is no name for a host", name)
	}
	if err := r.wired(); err != nil {
		return nil, err
	}
	r.layout.Lock()
	defer r.layout.Unlock()
	h, err := r.addSpace(ctx, name, at)
	if err != nil {
		return nil, err
	}
	return h, h.configure(ctx)
}

// configure gives the host its way to the outside.
func (h *Host) configure(ctx context.Context) error {
	return h.rack.ip(ctx, h.name, fmt.Sprintf("route add default via %v dev eth0", nth(h.rack.state.Range, -2)))
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

// addSpace takes a host into the rack and boots it. at gives
// its address from its place in the rack: the outside's is 0.
func (r *Rack) addSpace(ctx context.Context, name string, at func(n int) netip.Addr) (*Host, error) {
	const op = "testbed.host"
	r.mu.Lock()
	all := r.state.Hosts
	r.mu.Unlock()
	n := len(all)
	address := at(n)
	for _, h := range all {
		if h.Name == name || h.Address == address {
			return nil, errs.Errorf(op, errs.Conflict, "the rack has a host %q at %v already", h.Name, h.Address)
		}
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
	s := hostState{Name: name, Address: address, UUID: id}
	h := newHost(r, s)
	if err := r.change(func(all *state) {
		all.Hosts = append(all.Hosts, s)
		r.hosts[name] = h
	}); err != nil {
		return nil, err
	}
	return h, h.boot(ctx)
}

// boot makes the host's namespaces and wires, without addresses.
func (h *Host) boot(ctx context.Context) error {
	if err := h.rack.run(ctx, "ip", "netns", "add", h.Netns()); err != nil {
		return err
	}
	if err := h.rack.plug(ctx, h); err != nil {
		return err
	}
	return h.mount(ctx)
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
// outside the host; other paths are the machine's and stay as they are. In a
// folder of Options.Own only what the host wrote is seen so.
func (h *Host) Path(inside string) string {
	for _, p := range slices.Concat(privateFolders, privateFiles) {
		if rest, ok := below(inside, p.target); ok {
			return filepath.Join(h.dir, p.source) + rest
		}
	}
	for _, folder := range h.rack.state.Own {
		if rest, ok := below(inside, folder); ok {
			return filepath.Join(h.dir, "own", folder, "upper") + rest
		}
	}
	return inside
}

// below gives the rest of a path that is the folder or lies below it.
func below(path, folder string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, folder)
	return rest, ok && (rest == "" || rest[0] == '/')
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
