package kernel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/netd"
)

// spacesDir is where named namespaces are mounted, as iproute2 has it.
const spacesDir = "/run/netns"

// Kernel is the host's network. Its methods may be called from any goroutine,
// but plans must be carried out by one at a time.
type Kernel struct {
	names netd.Names
	root  string
}

// Options say which part of the machine's network is meant.
type Options struct {
	// Prefix is that of netd.Config: only what it owns is observed.
	Prefix string
	// Root is the path of a network namespace to take for the root; empty is
	// the one that this process runs in.
	Root string
}

// New gives the kernel. It needs CAP_NET_ADMIN and CAP_SYS_ADMIN only when
// used.
func New(o Options) *Kernel { return &Kernel{names: netd.Names(o.Prefix), root: o.Root} }

// Enter runs f in a namespace: "" is the root, else the name of one. Sockets
// that f opens stay in it, wherever they are used later; goroutines that f
// starts do not run in it. Kind NotFound means that there is none.
func (k *Kernel) Enter(space string, f func() error) error {
	path := k.root
	if space != "" {
		path = filepath.Join(spacesDir, space)
	}
	if path == "" {
		return f()
	}
	// A goroutine of its own: if the thread can't be brought back, it ends with
	// that goroutine and nobody else ever runs on it.
	done := make(chan error, 1)
	go func() { done <- onThread(path, f) }()
	return <-done
}

func onThread(path string, f func() error) error {
	runtime.LockOSThread()
	own, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return errs.E("kernel.enter", errs.Internal, "", err)
	}
	defer own.Close()
	// Back first, unlock only then; an early way out was never away.
	defer func() {
		if netns.Set(own) == nil {
			runtime.UnlockOSThread()
		}
	}()
	there, err := netns.GetFromPath(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.E("kernel.enter", errs.NotFound, "there is no network namespace "+path, err)
	}
	if err != nil {
		return errs.E("kernel.enter", errs.Internal, "", err)
	}
	defer there.Close()
	if err := netns.Set(there); err != nil {
		return errs.E("kernel.enter", errs.NotFound, path+" is no network namespace", err)
	}
	return f()
}

// addSpace makes a named namespace.
func addSpace(name string) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		own, err := netns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		defer own.Close()
		made, err := netns.NewNamed(name)
		if err == nil {
			made.Close()
		}
		if netns.Set(own) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	if err := <-done; err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// delSpace removes a named namespace, or a mere file of that name. Links and
// processes in it keep the namespace itself alive.
func delSpace(name string) error {
	path := filepath.Join(spacesDir, name)
	// EINVAL: nothing is mounted there.
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && err != unix.EINVAL && err != unix.ENOENT {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

var _ netd.Kernel = (*Kernel)(nil)

// Drops gives the packets that each drop counter of our tables in a namespace
// has seen, by counter name; "" is the root.
func (k *Kernel) Drops(ctx context.Context, space string) (map[string]uint64, error) {
	out := map[string]uint64{}
	err := k.Enter(space, func() error {
		for _, family := range []string{"bridge", "ip"} {
			l, err := listTable(ctx, family, k.names.Table())
			if err != nil {
				return err
			}
			for name, packets := range l.packets {
				out[name] += packets
			}
		}
		return nil
	})
	return out, err
}
