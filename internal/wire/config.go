package wire

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// Config says what a Port accepts. All but TLS may be left out.
type Config struct {
	// TLS are the settings of pki.Endpoint.Server.
	TLS   *tls.Config
	Clock clock.Clock
	Log   *slog.Logger

	// MaxMembers bounds the connections of members, who showed a certificate;
	// further ones are refused. Default 8192.
	MaxMembers int
	// MaxStrangers bounds the connections that showed none: handshakes under way
	// and nodes that join. A further one pushes the oldest aside. Default 256.
	MaxStrangers int
	// MaxPerIP bounds the connections of one remote address (of one /64 for
	// IPv6); further ones are refused. Default 512. A quarter of MaxStrangers
	// bounds an address's strangers: beyond it, its own oldest goes.
	MaxPerIP int
	// HandshakeTimeout ends a handshake; default 5 s. StrangerLife ends the
	// connection of a node that joins; default 30 s.
	HandshakeTimeout, StrangerLife time.Duration
	// Queue is how many connections of a protocol may wait to be accepted;
	// further ones are refused. Default 64.
	Queue int
}

func (c Config) filled() Config {
	if c.Clock == nil {
		c.Clock = clock.Real{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	for _, f := range []struct {
		have *int
		def  int
	}{{&c.MaxMembers, 8192}, {&c.MaxStrangers, 256}, {&c.MaxPerIP, 512}, {&c.Queue, 64}} {
		if *f.have <= 0 {
			*f.have = f.def
		}
	}
	if c.HandshakeTimeout <= 0 {
		c.HandshakeTimeout = 5 * time.Second
	}
	if c.StrangerLife <= 0 {
		c.StrangerLife = 30 * time.Second
	}
	return c
}

// strangersPerIP is how many of the strangers one address may be.
func (c Config) strangersPerIP() int { return max(1, c.MaxStrangers/4) }
