package faultnet

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// bed is a rack whose eth0 a switch carries.
type bed struct {
	t    testing.TB
	ctx  context.Context
	sw   *Switch
	rack *testbed.Rack
	host map[string]*testbed.Host
}

// rackOptions are those of a rack in a folder of its own, swept of what an
// earlier run left when it was killed.
func rackOptions(t testing.TB, prefix string) (context.Context, testbed.Options) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a rack needs root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	if err := testbed.Sweep(ctx, prefix, clock.Real{}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "rack-"+prefix+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := os.Stat(dir); err == nil && !t.Failed() {
			t.Errorf("%s is still there", dir)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return ctx, testbed.Options{Prefix: prefix, Dir: dir}
}

// newBed lays out a rack; without a switch its eth0 is on the rack's bridge.
func newBed(t testing.TB, prefix string, o *Options, hosts ...string) *bed {
	t.Helper()
	ctx, ro := rackOptions(t, prefix)
	b := &bed{t: t, ctx: ctx, host: map[string]*testbed.Host{}}
	if o != nil {
		sw, err := New(*o)
		if err != nil {
			t.Fatal(err)
		}
		b.sw, ro.Wire = sw, sw
		t.Cleanup(func() {
			if err := sw.Close(); err != nil {
				t.Errorf("close the switch: %v", err)
			}
		})
	}
	rack, err := testbed.New(ctx, ro)
	if err != nil {
		t.Fatal(err)
	}
	b.rack = rack
	t.Cleanup(func() {
		if err := rack.Close(context.WithoutCancel(ctx)); err != nil {
			t.Errorf("close the rack: %v", err)
		}
	})
	for _, name := range hosts {
		h, err := rack.AddHost(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		b.host[name] = h
	}
	return b
}

// must fails the test on an error.
func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) addr(host, port string) string {
	return net.JoinHostPort(b.host[host].Address().String(), port)
}

func (b *bed) output(host string, argv ...string) string {
	b.t.Helper()
	out, err := b.host[host].Command(b.ctx, argv...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("%s: %v: %v: %s", host, argv, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (b *bed) pings(from, to string) bool { return b.pingsAt(from, b.host[to].Address().String()) }

func (b *bed) pingsAt(from, at string) bool {
	return b.host[from].Command(b.ctx, "ping", "-c", "1", "-W", "1", at).Run() == nil
}

// eventually waits for a state.
func (b *bed) eventually(what string, ok func() bool) {
	b.t.Helper()
	for !ok() {
		if err := clock.Sleep(b.ctx, clock.Real{}, 5*time.Millisecond); err != nil {
			b.t.Fatalf("waited in vain: %s: %v", what, err)
		}
	}
}

// counts are those of one pair.
func (b *bed) counts(n Network, from, to string) Counts {
	b.t.Helper()
	all, err := n.Counters(b.ctx)
	b.must(err)
	return all[Pair{from, to}]
}

// datagram is what a sink has got.
type datagram struct {
	number uint32
	at     time.Duration // on the machine's clock
	whole  bool
}

// sink takes numbered datagrams on a host.
type sink struct {
	conn net.PacketConn
	mu   sync.Mutex
	got  []datagram
}

// datagramSize is how long a numbered datagram is, with UDP's and IP's headers.
const datagramSize = 100

func (b *bed) sink(host, port string) *sink {
	b.t.Helper()
	conn, err := b.host[host].ListenPacket(b.ctx, "udp", b.addr(host, port))
	b.must(err)
	// Room for one burst of a test, beyond the machine's usual limit.
	raw, err := conn.(*net.UDPConn).SyscallConn()
	b.must(err)
	b.must(raw.Control(func(fd uintptr) {
		b.must(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 16<<20))
	}))
	s := &sink{conn: conn}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 2*datagramSize)
		for {
			n, _, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.got = append(s.got, datagram{binary.BigEndian.Uint32(buf), clock.Real{}.Mono(), string(buf[4:n]) == filler})
			s.mu.Unlock()
		}
	}()
	b.t.Cleanup(func() { _ = conn.Close(); <-done })
	return s
}

var filler = strings.Repeat("x", datagramSize-20-8-4)

// took gives what has come since the last call.
func (s *sink) took() []datagram {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.got
	s.got = nil
	return all
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

// send sends datagrams with the numbers from first on.
func (b *bed) send(from, to, port string, first, count int) {
	b.t.Helper()
	conn, err := b.host[from].Dial(b.ctx, "udp", b.addr(to, port))
	b.must(err)
	defer conn.Close()
	for n := range count {
		_, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(first+n)), filler...))
		b.must(err)
	}
}

func numbers(all []datagram) (out []uint32) {
	for _, d := range all {
		out = append(out, d.number)
	}
	return out
}

// settled waits until the switch has dealt with so many packets of a pair, and
// gives what has become of them, counted from before.
func (b *bed) settled(n Network, from, to string, before Counts, packets uint64) (c Counts) {
	b.t.Helper()
	b.eventually("all packets are accounted for", func() bool {
		c = b.counts(n, from, to).Since(before)
		return c.Waiting == 0 && c.Packets-c.Duplicated+c.Cut+c.Dropped+c.Overflow >= packets
	})
	return c
}

// arrived waits until as many datagrams are at the sink as were delivered.
func (b *bed) arrived(s *sink, want uint64) []datagram {
	b.t.Helper()
	b.eventually("what was delivered is read", func() bool { return uint64(s.count()) >= want })
	return s.took()
}

// echo answers every connection with what it says, until the test ends.
func (b *bed) echo(host, port string) {
	b.t.Helper()
	l, err := b.host[host].Listen(b.ctx, "tcp", b.addr(host, port))
	b.must(err)
	b.serve(l, func(c net.Conn) { _, _ = io.Copy(c, c) })
}

// serve lets f serve every connection, until the test ends.
func (b *bed) serve(l net.Listener, f func(net.Conn)) {
	var (
		serving sync.WaitGroup
		mu      sync.Mutex
		open    []net.Conn
	)
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			serving.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	b.t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
}

// dial opens a connection that lives as long as the test.
func (b *bed) dial(from, to, port string) net.Conn {
	b.t.Helper()
	conn, err := b.host[from].Dial(b.ctx, "tcp", b.addr(to, port))
	b.must(err)
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// says sends a word and waits for the same word.
func says(conn net.Conn, word string, within time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, word); err != nil {
		return err
	}
	buf := make([]byte, len(word))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return err
	}
	if string(buf) != word {
		return errors.New("another word came back: " + string(buf))
	}
	return nil
}

// inventory is what the rack of the prefix could leave behind.
func inventory(ctx context.Context, t *testing.T, prefix, dir string) testbed.Inventory {
	t.Helper()
	inv, err := testbed.TakeInventory(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	return inv.Mentioning(prefix+"-", " "+prefix+".json", dir)
}

// links are the names of this namespace's links.
func links(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("ls", "/sys/class/net").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	slices.Sort(all)
	return all
}
