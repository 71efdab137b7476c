package netsvc

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/netd/dhcp"
	"github.com/kvorum/kvorum/netd/dns"
)

// worker runs one service: up to three servers with a goroutine each. It owns
// them, and its sockets.
type worker struct {
	at      identity
	current atomic.Pointer[Service]
	cancel  context.CancelFunc
	servers sync.WaitGroup
	failed  atomic.Bool
	log     *slog.Logger
}

// identity tells one making of a namespace and link from the next of the same
// names. As long as we hold sockets in a namespace, its inode is not given to
// another.
type identity struct {
	inode uint64
	index int
}

// identify looks at the thread's namespace.
func identify(link string) (identity, error) {
	info, err := os.Stat("/proc/thread-self/ns/net")
	if err != nil {
		return identity{}, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, errs.Errorf("netsvc.identify", errs.Internal, "a namespace has no inode")
	}
	dev, err := net.InterfaceByName(link)
	if err != nil {
		return identity{}, errs.E("netsvc.identify", errs.NotFound, "there is no link "+link, err)
	}
	return identity{st.Ino, dev.Index}, nil
}

// sockets are opened inside the namespace and used from anywhere.
type sockets struct {
	dhcp, udp net.PacketConn
	tcp, http net.Listener
}

func (s *sockets) close() {
	if s.dhcp != nil {
		s.dhcp.Close()
	}
	if s.udp != nil {
		s.udp.Close()
	}
	for _, l := range []net.Listener{s.tcp, s.http} {
		if l != nil {
			l.Close()
		}
	}
}

// open opens all sockets that svc needs, or none.
func open(ctx context.Context, svc Service) (s sockets, err error) {
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if svc.Leases != nil {
		if s.dhcp, err = dhcp.Listen(ctx, svc.Link); err != nil {
			return s, err
		}
	}
	lc := onLink(svc.Link)
	if s.udp, err = lc.ListenPacket(ctx, "udp4", "0.0.0.0:53"); err != nil {
		return s, err
	}
	if s.tcp, err = lc.Listen(ctx, "tcp4", "0.0.0.0:53"); err != nil {
		return s, err
	}
	s.tcp = bounded(s.tcp)
	if svc.Metadata != nil {
		if s.http, err = lc.Listen(ctx, "tcp4", metadataAddr); err != nil {
			return s, err
		}
		s.http = bounded(s.http)
	}
	return s, nil
}

// start opens the sockets of a service and serves on them.
func (s *Server) start(ctx context.Context, p place, at identity, svc Service) (*worker, error) {
	var socks sockets
	err := s.opts.Enter(p.space, func() (err error) {
		// The place may have been made anew since it was looked at.
		now, err := identify(p.link)
		if err != nil {
			return err
		}
		if now != at {
			return errs.Errorf("netsvc.start", errs.Busy, "link %s of %s is being made anew", p.link, p.space)
		}
		socks, err = open(ctx, svc)
		return err
	})
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &worker{at: at, cancel: cancel, log: s.opts.Log.With("network", svc.Network, "link", svc.Link)}
	w.current.Store(&svc)
	if socks.dhcp != nil {
		w.serve("dhcp", func() error {
			defer socks.dhcp.Close()
			defer context.AfterFunc(run, func() { socks.dhcp.Close() })()
			return dhcp.Serve(socks.dhcp, w.lease, w.log)
		})
	}
	resolver := dns.New(w.zone, s.opts.Resolvers, w.log)
	w.serve("dns", func() error { return resolver.Serve(run, socks.udp, socks.tcp) })
	if socks.http != nil {
		w.serve("metadata", func() error { return w.metadata(run, socks.http) })
	}
	return w, nil
}

// serve runs one server; one that ends by itself marks the whole worker for a
// new start.
func (w *worker) serve(what string, f func() error) {
	w.servers.Add(1)
	go func() {
		defer w.servers.Done()
		if err := f(); err != nil {
			w.failed.Store(true)
			w.log.Warn("a network service ended", "service", what, "err", err)
		}
	}()
}

func (w *worker) dead() bool { return w.failed.Load() }

// differs tells whether svc needs other sockets, or is another network's.
func (w *worker) differs(svc Service) bool {
	is := w.current.Load()
	return is.Network != svc.Network ||
		(is.Leases == nil) != (svc.Leases == nil) || (is.Metadata == nil) != (svc.Metadata == nil)
}

func (w *worker) stop() {
	w.cancel()
	w.servers.Wait()
}

func (w *worker) lease(mac [6]byte) (dhcp.Lease, bool) { return w.current.Load().Leases(mac) }

func (w *worker) zone() dns.Zone {
	if z := w.current.Load().Zone; z != nil {
		return *z
	}
	return dns.Zone{Domain: "invalid"}
}
