package raftnode

import (
	"log/slog"
	"net"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/clock"
)

// StreamLayer carries raft between the nodes. It has to make sure that both
// ends are control nodes of this cluster: raft itself believes everyone.
type StreamLayer interface {
	net.Listener
	// Dial opens a stream to the node at address within timeout.
	Dial(address string, timeout time.Duration) (net.Conn, error)
}

const (
	maxPooledStreams = 3
	rpcTimeout       = 10 * time.Second
	// inMemoryTimeout only matters between transports in one process.
	inMemoryTimeout = 500 * time.Millisecond
)

type streamLayer struct{ StreamLayer }

// Dial implements raft.StreamLayer.
func (s streamLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return s.StreamLayer.Dial(string(address), timeout)
}

func newTransport(stream StreamLayer, address string, log *slog.Logger, c clock.Clock) raft.Transport {
	if stream == nil {
		_, t := raft.NewInmemTransportWithTimeout(raft.ServerAddress(address), inMemoryTimeout)
		return t
	}
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:  streamLayer{stream},
		MaxPool: maxPooledStreams,
		Timeout: rpcTimeout,
		Logger:  newRaftLogger(log, c),
	})
}
