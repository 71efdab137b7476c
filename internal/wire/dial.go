package wire

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// dialTimeout bounds one call's way to an established connection.
const dialTimeout = 10 * time.Second

// Dial calls a member at host:port. The connection is established and the peer
// verified when it returns; whether the peer took our certificate shows at the
// first read. errs.Unavailable: nobody answers there; errs.Unauthorized: somebody
// else does.
func Dial(ctx context.Context, address string, conf *tls.Config) (net.Conn, error) {
	const op = "wire.dial"
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, errs.E(op, errs.Unavailable, "Nobody answers at "+address+".", err)
	}
	c := tls.Client(raw, conf)
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close() // the handshake's error says more
		kind := errs.KindOf(err)
		if kind == errs.Internal {
			kind = errs.Unavailable
		}
		return nil, errs.E(op, kind, "There is no agreement with "+address+".", err)
	}
	return c, nil
}

// Transport makes HTTP calls over Dial, with the settings that conf gives for
// each address. URLs begin with https://host:port.
func Transport(conf func(address string) *tls.Config) *http.Transport {
	return &http.Transport{
		DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return Dial(ctx, address, conf(address))
		},
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, errs.Errorf("wire.transport", errs.Invalid, "nothing is sent without TLS")
		},
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
}

// Server serves HTTP on a Listener of a Port, with bounds on headers and on
// idleness. What it has to complain of goes to log.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
}

// Stream carries a protocol that is no HTTP both ways: raft, for one.
type Stream struct {
	net.Listener
	// Client gives the settings for calls to an address.
	Client func(address string) *tls.Config
}

// Dial opens a stream to the member at address within timeout.
func (s Stream) Dial(address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return Dial(ctx, address, s.Client(address))
}
