package testbed

import (
	"context"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/errs"
)

// Dial connects from the host's network. address is host:port with an IP
// literal; names are not looked up. For the host's unix sockets see Path.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return within(h, func() (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	})
}

// Listen opens a listening socket on the host's network, served by this
// process.
func (h *Host) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	return within(h, func() (net.Listener, error) {
		return (&net.ListenConfig{}).Listen(ctx, network, address)
	})
}

// ListenPacket opens a socket for datagrams on the host's network, served by
// this process.
func (h *Host) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	return within(h, func() (net.PacketConn, error) {
		return (&net.ListenConfig{}).ListenPacket(ctx, network, address)
	})
}

// within calls open on a thread that has entered the host's network. A socket
// stays in the network in which it was made; the thread ends with the
// goroutine, because a locked thread is not used again.
func within[T any](h *Host, open func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		var res result
		if res.err = enterNet(netnsPath(h.Netns())); res.err == nil {
			res.value, res.err = open()
		}
		done <- res
	}()
	res := <-done
	return res.value, res.err
}

func enterNet(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return errs.E("testbed.dial", errs.Unavailable, "", err)
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return errs.E("testbed.dial", errs.Internal, "", err)
	}
	return nil
}
