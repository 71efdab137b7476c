// Package wire is the internal port: one TCP listener that serves every
// protocol between the members of a cluster, told apart by ALPN, and the way to
// call one.
//
// Invariant: what comes out of a Listener has shown who it is, as the TLS
// settings of internal/pki demand for that protocol; and whoever has not shown
// it yet costs a bounded number of connections, for a bounded time, and keeps
// nobody else out: a newcomer pushes the oldest stranger aside.
//
// Raft's streams, the peers' and the agents' HTTP, images and joining stand on
// it. It must not know what is spoken in any protocol.
//
//	port, err := wire.Listen("10.0.0.1:8770", wire.Config{TLS: end.Server(pki.Raft, pki.Peer)})
//	go server.Serve(port.Listener(pki.Peer))
//	conn, err := wire.Dial(ctx, "10.0.0.2:8770", end.Client(pki.Raft, pki.Expect(pki.Control, id)))
package wire
