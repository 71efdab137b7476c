package dhcp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"syscall"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"
)

// Listen opens the server's socket on one link, in the namespace of the
// calling thread.
func Listen(ctx context.Context, link string) (net.PacketConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		set := func(fd uintptr) { err = options(int(fd), link) }
		if e := c.Control(set); e != nil {
			return e
		}
		return err
	}}
	return lc.ListenPacket(ctx, "udp4", "0.0.0.0:67")
}

func options(fd int, link string) error {
	if err := unix.BindToDevice(fd, link); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1); err != nil {
		return err
	}
	// No UDP checksum: between virtual links it would be left to hardware that
	// is not there, and clients that read raw frames would refuse the answer.
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
}

// Serve answers on conn, one question at a time, until conn is closed.
func Serve(conn net.PacketConn, look Lookup, log *slog.Logger) error {
	buf := make([]byte, 1500)
	for {
		n, _, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		q, err := dhcpv4.FromBytes(buf[:n])
		if err != nil {
			log.Debug("not DHCP", "err", err)
			continue
		}
		a, ok := Answer(q, look)
		if !ok {
			log.Debug("not answered", "mac", q.ClientHWAddr, "type", q.MessageType())
			continue
		}
		if _, err := conn.WriteTo(a.ToBytes(), dest(q, a)); err != nil {
			log.Warn("answer not sent", "mac", q.ClientHWAddr, "err", err)
			continue
		}
		log.Debug("answered", "mac", q.ClientHWAddr, "type", a.MessageType(), "address", a.YourIPAddr)
	}
}

// dest is where an answer goes: to a client that has its address, there; to
// all otherwise, because who has none can't be asked for it.
func dest(q, a *dhcpv4.DHCPv4) *net.UDPAddr {
	if a.MessageType() != dhcpv4.MessageTypeNak && !q.ClientIPAddr.Equal(net.IPv4zero) {
		return &net.UDPAddr{IP: q.ClientIPAddr, Port: 68}
	}
	return &net.UDPAddr{IP: net.IPv4bcast, Port: 68}
}
