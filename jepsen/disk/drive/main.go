package drive

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// Main serves a disk until it is told to close, is sent SIGTERM, or its
// lifeline ends, and gives the exit status. args are the words after
// disk.Serve, as Options.Args makes them. It is the whole life of a process.
func Main(args []string) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var o disk.Options
	if len(args) != 1 || json.Unmarshal([]byte(args[0]), &o) != nil {
		log.Error("want one word, the disk's options as JSON", "args", args)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if o.Lifeline {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	if err := live(ctx, o, log); err != nil {
		log.Error("the disk ends", "err", err)
		return 1
	}
	return 0
}

// live is a disk from its mount to its unmount.
func live(ctx context.Context, o disk.Options, log *slog.Logger) error {
	unix.Umask(0) // the kernel has applied the callers' own
	d, err := open(o, clock.Real{}, log)
	if err != nil {
		return err
	}
	defer d.trace.close()
	l, err := listen(o.Socket())
	if err != nil {
		return err
	}
	defer l.Close()
	if err := detach(o.Mount, o.Store); err != nil {
		return err
	}
	d.doing.Lock()
	err = d.mount()
	d.doing.Unlock()
	if err != nil {
		return err
	}
	d.serve(ctx, l)
	return d.close()
}

// listen takes the socket. A lock beside it tells a disk that runs from one that
// was killed: two on a store would undo each other's work.
func listen(socket string) (net.Listener, error) {
	const op = "drive.listen"
	fd, err := unix.Open(socket+".lock", unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	// The descriptor stays open as long as the process lives.
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errs.E(op, errs.Conflict, "a disk runs on this store already", errors.Join(err, unix.Close(fd)))
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	return l, nil
}

// detach removes the mount that a disk on the store left when it was killed.
// Other mounts are left.
func detach(mount, store string) error {
	for {
		dead, err := mounted(mount, store)
		if err != nil || !dead {
			return err
		}
		if err := unix.Unmount(mount, unix.MNT_FORCE|unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return errs.E("drive.detach", errs.Internal, mount, err)
		}
	}
}

// octal is how the kernel writes paths in /proc.
var octal = strings.NewReplacer(`\`, `\134`, " ", `\040`, "\t", `\011`, "\n", `\012`)

// mounted tells whether the uppermost mount on a folder is the store's disk.
func mounted(mount, store string) (bool, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false, errs.E("drive.mounted", errs.Internal, "", err)
	}
	defer f.Close()
	found := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		if fields := strings.Fields(before); len(fields) > 4 && fields[4] == octal.Replace(mount) {
			found = strings.HasPrefix(after, "fuse."+fsType+" "+octal.Replace(store)+" ")
		}
	}
	if err := lines.Err(); err != nil {
		return false, errs.E("drive.mounted", errs.Internal, "", err)
	}
	return found, nil
}
