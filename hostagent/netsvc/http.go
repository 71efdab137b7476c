package netsvc

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// metadataAddr is where guests look for metadata: the convention of EC2.
	metadataAddr = "169.254.169.254:80"
	// maxConns bounds the open connections of one listener, maxBody a request's
	// body (what a guest posts is at most a password, sealed).
	maxConns  = 128
	maxBody   = 16 << 10
	maxHeader = 16 << 10
	// A guest is on the same host: who needs longer does not mean well.
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = 30 * time.Second
	stopTimeout  = 3 * time.Second
)

// onLink makes sockets that see one link only. Its address need not be there
// yet: a link may lose and regain it.
func onLink(link string) net.ListenConfig {
	return net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		set := func(fd uintptr) {
			if err = unix.BindToDevice(int(fd), link); err == nil {
				err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_FREEBIND, 1)
			}
		}
		if e := c.Control(set); e != nil {
			return e
		}
		return err
	}}
}

// metadata serves HTTP until ctx ends.
func (w *worker) metadata(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           http.HandlerFunc(w.request),
		ConnContext:       w.caller,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(stopped)
		// Requests under way get a moment, so that nothing of them is left behind.
		grace, end := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer end()
		if srv.Shutdown(grace) != nil {
			srv.Close()
		}
	})
	err := srv.Serve(l)
	if cancel() {
		srv.Close()
		return err
	}
	<-stopped
	return nil
}

// caller names who is at the other end of a connection: the network by the
// socket, the guest by the address that its filter vouches for.
func (w *worker) caller(ctx context.Context, c net.Conn) context.Context {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return ctx
	}
	return WithCaller(ctx, Caller{Network: w.current.Load().Network, Addr: at.Addr().Unmap()})
}

func (w *worker) request(rw http.ResponseWriter, r *http.Request) {
	if _, ok := CallerOf(r.Context()); !ok {
		http.Error(rw, "404 Not Found", http.StatusNotFound)
		return
	}
	for _, h := range untrusted {
		r.Header.Del(h)
	}
	r.Body = http.MaxBytesReader(rw, r.Body, maxBody)
	w.current.Load().Metadata.ServeHTTP(rw, r)
}

// bounded lets at most maxConns connections be open: further ones wait in the
// kernel's queue.
func bounded(l net.Listener) net.Listener {
	return &boundedListener{Listener: l, slots: make(chan struct{}, maxConns), done: make(chan struct{})}
}

type boundedListener struct {
	net.Listener
	slots chan struct{}
	done  chan struct{}
	once  sync.Once
}

// Accept waits for a free slot, then for a connection.
func (b *boundedListener) Accept() (net.Conn, error) {
	select {
	case b.slots <- struct{}{}:
	case <-b.done:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.slots
		return nil, err
	}
	return &boundedConn{Conn: c, free: sync.OnceFunc(func() { <-b.slots })}, nil
}

// Close wakes an Accept that waits for a slot, too.
func (b *boundedListener) Close() error {
	b.once.Do(func() { close(b.done) })
	return b.Listener.Close()
}

type boundedConn struct {
	net.Conn
	free func()
}

// Close frees the slot, once.
func (c *boundedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
