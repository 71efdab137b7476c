package bed

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Wire is a link as raw frames.
type Wire struct {
	fd   int
	file *os.File
}

// Wire opens a guest's link for raw frames, to send and to see what comes; it is closed with the test.
func (b *Bed) Wire(space string) *Wire {
	b.t.Helper()
	return b.WireOn(space, "eth0")
}

// WireOn is Wire for any link of a namespace.
func (b *Bed) WireOn(space, name string) *Wire {
	b.t.Helper()
	w := &Wire{}
	b.In(space, func() error {
		link, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8
		w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, all)
		if err != nil {
			return err
		}
		w.file = os.NewFile(uintptr(w.fd), "wire")
		// What the guest answers quotes what it was sent.
		if err := unix.SetsockoptInt(w.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return err
		}
		return unix.Bind(w.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Index})
	})
	b.t.Cleanup(func() { w.file.Close() })
	return w
}

// Send puts a frame on the wire.
func (w *Wire) Send(frame []byte) error {
	_, err := w.file.Write(frame)
	return err
}

// Until reads frames until one holds last, and tells how many before it held
// word. Frames of one sender keep their order, so what came before last was
// let through and what did not was dropped.
func (w *Wire) Until(last, word string, deadline time.Time) (int, error) {
	if err := w.file.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	seen, buf := 0, make([]byte, 4096)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return seen, fmt.Errorf("the frame %q never came: %w", last, err)
		}
		if bytes.Contains(buf[:n], []byte(last)) {
			return seen, nil
		}
		if bytes.Contains(buf[:n], []byte(word)) {
			seen++
		}
	}
}
