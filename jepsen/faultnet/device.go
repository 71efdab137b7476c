package faultnet

import (
	"bufio"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/errs"
)

// ringSize is how many packets wait in the kernel for the switch to read them.
// What comes while it is full is lost: see Switch.Missed.
const ringSize = 8192

// device is the switch's end of a TUN link inside some namespace.
type device struct {
	*os.File
	netns, link string
}

// openDevice makes the link in the network namespace at the path, "" for this
// process's own, with its address, up. The link lives as long as the file.
func openDevice(netns, link string, at netip.Prefix, mtu int) (*device, error) {
	d := &device{netns: netns, link: link}
	err := inside(netns, func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		if err := makeLink(fd, link, at, mtu); err != nil {
			_ = unix.Close(fd)
			return err
		}
		d.File = os.NewFile(uintptr(fd), "/dev/net/tun")
		return nil
	})
	if err != nil {
		return nil, errs.E("faultnet.plug", errs.Internal, "the link "+link+" cannot be made in "+netns, err)
	}
	return d, nil
}

// makeLink turns the open file into a link of the thread's namespace.
func makeLink(fd int, link string, at netip.Prefix, mtu int) error {
	req, err := unix.NewIfreq(link)
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_TUN_EXCL)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return err
	}
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(sock)
	addr := at.Addr().As4()
	mask := ^uint32(0) << (32 - at.Bits())
	for _, set := range []struct {
		what uint
		fill func(*unix.Ifreq) error
	}{
		{unix.SIOCSIFMTU, func(r *unix.Ifreq) error { r.SetUint32(uint32(mtu)); return nil }},
		{unix.SIOCSIFTXQLEN, func(r *unix.Ifreq) error { r.SetUint32(ringSize); return nil }},
		{unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(addr[:]) }},
		{unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error {
			return r.SetInet4Addr([]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)})
		}},
		{unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
	} {
		req, err := unix.NewIfreq(link)
		if err != nil {
			return err
		}
		if err := set.fill(req); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(sock, set.what, req); err != nil {
			return err
		}
	}
	return nil
}

// setCarrier says whether there is a cable in the link.
func (d *device) setCarrier(in bool) error {
	raw, err := d.SyscallConn()
	if err != nil {
		return err
	}
	on := 0
	if in {
		on = 1
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.IoctlSetPointerInt(int(fd), unix.TUNSETCARRIER, on) }); err != nil {
		return err
	}
	return failed
}

// missed is how many packets the kernel has lost because its ring was full.
func (d *device) missed() (n uint64, err error) {
	err = inside(d.netns, func() error {
		f, err := os.Open("/proc/thread-self/net/dev")
		if err != nil {
			return err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			name, numbers, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
			fields := strings.Fields(numbers)
			const dropped = 11 // the fourth of what was sent
			if name == d.link && len(fields) > dropped {
				n, err = strconv.ParseUint(fields[dropped], 10, 64)
				return err
			}
		}
		return lines.Err()
	})
	return n, err
}

// inside calls f on a thread that has entered the network namespace. The
// thread ends with the goroutine, because a locked thread is not used again.
func inside(netns string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- func() error {
			if netns == "" {
				return f()
			}
			ns, err := os.Open(netns)
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return err
			}
			return f()
		}()
	}()
	return <-done
}
