package testbed

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

const (
	switchName  = "sw"
	outsideName = "outside"
	// rootName is the root namespace's on the wire.
	rootName = "root"
)

// Rack is a laid-out rack. Its methods may be called from many goroutines.
// It lives on the machine, not in the process: a process may end without
// Close, and another may Attach.
type Rack struct {
	clock clock.Clock
	// wire carries eth0; nil if the bridge does, or if another process's does.
	wire Wire

	// layout serialises what adds to the rack or takes it down.
	layout sync.Mutex

	// mu guards all below. It is never held while a command runs.
	mu    sync.Mutex
	state state
	hosts map[string]*Host
	// reapers wait for the processes that this process started.
	reapers sync.WaitGroup
}

// New lays out a rack with its switch and its outside, and no hosts yet.
// Needs root. Conflict if a rack of the prefix exists or Dir is in use; on any
// error what was begun is removed again.
func New(ctx context.Context, o Options) (*Rack, error) {
	const op = "testbed.new"
	if err := o.check(); err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return nil, errs.Errorf(op, errs.Forbidden, "a rack needs root: it makes namespaces and mounts")
	}
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	s := state{
		ID: o.Prefix + "-" + hex.EncodeToString(random[:]), Prefix: o.Prefix, Dir: o.Dir,
		Range: o.Range, External: o.External, Uplink: o.Uplink, QemuUser: o.QemuUser, Own: o.Own,
		Wired: o.Wire != nil,
	}
	for _, name := range []string{switchName, outsideName} {
		if _, err := os.Stat(netnsPath(s.netns(name))); err == nil {
			return nil, errs.Errorf(op, errs.Conflict, "a namespace %s exists already", s.netns(name))
		}
	}
	if entries, err := os.ReadDir(o.Dir); err == nil && len(entries) > 0 {
		return nil, errs.Errorf(op, errs.Conflict, "%s is not empty", o.Dir)
	}
	if err := register(o.Prefix, registration{ID: s.ID, Dir: s.Dir}); err != nil {
		return nil, err
	}
	r := &Rack{clock: o.Clock, wire: o.Wire, state: s, hosts: map[string]*Host{}}
	if err := r.begin(ctx); err != nil {
		// ctx may be what ended the making.
		return nil, errors.Join(err, r.Close(context.WithoutCancel(ctx)))
	}
	return r, nil
}

// begin makes all of the rack but its hosts.
func (r *Rack) begin(ctx context.Context) error {
	if err := os.MkdirAll(pinDir(r.state.Dir), 0o755); err != nil {
		return errs.E("testbed.new", errs.Internal, "", err)
	}
	if err := r.state.save(); err != nil {
		return err
	}
	if err := r.run(ctx, "mount", "--bind", pinDir(r.state.Dir), pinDir(r.state.Dir)); err != nil {
		return err
	}
	// The kernel holds mount namespaces only in a place whose mounts do not spread.
	if err := r.run(ctx, "mount", "--make-private", pinDir(r.state.Dir)); err != nil {
		return err
	}
	if err := r.makeSwitch(ctx); err != nil {
		return err
	}
	return r.makeOutside(ctx)
}

// Attach takes over the rack in dir, from a process that may have ended.
// NotFound if there is none.
func Attach(dir string, c clock.Clock) (*Rack, error) {
	s, err := loadState(dir)
	if err != nil {
		return nil, err
	}
	reg, err := lookup(s.Prefix)
	if err != nil {
		return nil, err
	}
	if reg.ID != s.ID {
		return nil, errs.Errorf("testbed.attach", errs.Conflict, "the rack in %s is gone; prefix %s is another's now", dir, s.Prefix)
	}
	r := &Rack{clock: c, state: s, hosts: map[string]*Host{}}
	for _, h := range s.Hosts {
		r.hosts[h.Name] = newHost(r, h)
	}
	return r, nil
}

// Close stops all that runs in the rack, by force, and removes all of it:
// namespaces, links, mounts and files. It ends when nothing is left.
func (r *Rack) Close(ctx context.Context) error {
	r.layout.Lock()
	defer r.layout.Unlock()
	r.mu.Lock()
	s := r.state
	r.mu.Unlock()
	err := teardown(ctx, r.clock, s)
	r.reapers.Wait()
	return err
}

// ID names this rack for ever: prefix and a random part.
func (r *Rack) ID() string { return r.state.ID }

// Dir is the rack's folder.
func (r *Rack) Dir() string { return r.state.Dir }

// Range is the network of the hosts' addresses.
func (r *Rack) Range() netip.Prefix { return r.state.Range }

// External is the outer network on the wire of guests' networks; its first
// address is the outside's.
func (r *Rack) External() netip.Prefix { return r.state.External }

// World is an address of the outside that lies in no network of the rack.
func (r *Rack) World() netip.Addr { return netip.MustParseAddr(worldAddress) }

// Host gives a host by name; NotFound if there is none.
func (r *Rack) Host(name string) (*Host, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.hosts[name]; h != nil {
		return h, nil
	}
	return nil, errs.Errorf("testbed.host", errs.NotFound, "the rack has no host %q", name)
}

// Hosts gives the hosts in the order of their making, without the outside.
func (r *Rack) Hosts() []*Host {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*Host
	for _, h := range r.state.Hosts {
		if h.Name != outsideName {
			all = append(all, r.hosts[h.Name])
		}
	}
	return all
}

// Outside is the world beyond the rack: the hosts' default route leads to it.
// It is no host of the cloud, and runs programs as any host does.
func (r *Rack) Outside() *Host {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hosts[outsideName]
}

// change edits the state and saves it, before the change is made true.
func (r *Rack) change(edit func(*state)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	edit(&r.state)
	return r.state.save()
}

// run does one command in the root namespace, marked as the rack's.
func (r *Rack) run(ctx context.Context, argv ...string) error {
	return r.feed(ctx, "", argv...)
}

// feed is run with text for the command to read.
func (r *Rack) feed(ctx context.Context, text string, argv ...string) error {
	return runCommand(ctx, r.environ(), text, argv...)
}

// ip does one command of iproute2, in one of the rack's namespaces.
func (r *Rack) ip(ctx context.Context, space string, words string) error {
	return r.run(ctx, append([]string{"ip", "-n", r.state.netns(space)}, strings.Fields(words)...)...)
}

func (r *Rack) environ() []string { return environ(r.state.ID) }

// environ is that of this process with the rack's mark, and without what would
// make a service believe that it was started by a service manager.
func environ(id string) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch name {
		case envMarker, "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "XDG_RUNTIME_DIR", "LIBVIRT_DEFAULT_URI":
			continue
		}
		env = append(env, kv)
	}
	return append(env, envMarker+"="+id)
}

// errorOutput bounds what of a failed command's output an error repeats.
const errorOutput = 2048

func runCommand(ctx context.Context, env []string, text string, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	cmd.Stdin = strings.NewReader(text)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		said := out.Bytes()
		if len(said) > errorOutput {
			said = said[len(said)-errorOutput:]
		}
		return errs.E("testbed.run", errs.Internal, "",
			fmt.Errorf("%s: %w: %s", shown(argv), err, bytes.TrimSpace(said)))
	}
	return nil
}

// shown is a command for messages; a script in it is left out.
func shown(argv []string) string {
	var words []string
	for _, w := range argv {
		if strings.Contains(w, "\n") {
			w = "(script)"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}
