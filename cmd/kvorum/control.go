package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/api/identity"
	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/api/peerapi"
	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/imagestore/replica"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/heap"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/seal"
	"github.com/kvorum/kvorum/internal/wire"
	"github.com/kvorum/kvorum/leader"
	"github.com/kvorum/kvorum/raftnode"
)

// loginsAtOnce bounds how many passwords are hashed at once: each takes 19 MiB
// and one processor.
const loginsAtOnce = 2

// controlNode is a control node with its parts.
type controlNode struct {
	conf      config.Config
	log       *slog.Logger
	clock     clock.Clock
	times     raftTimes
	id        string // this node's UUID
	box       *seal.Box
	endpoint  pki.Endpoint
	tcp       net.Listener // under the port
	port      *wire.Port
	peers     *peerapi.Client
	images    *imagestore.Store
	replicas  *replica.Replicas
	machine   *fsm.Machine
	raft      *raftnode.Node
	cluster   *cluster
	register  *leader.Register
	duties    leader.Counters
	passwords *identity.Passwords
	metrics   *operator.Metrics
	raftStats *raftnode.Metrics
	gossip    *controlGossip // nil if the node does not gossip
	// bound are the listeners once they are open; ended that run is over.
	bound atomic.Pointer[servers]
	ended atomic.Bool
}

// runControl runs a control node until ctx ends or the node must stop.
func runControl(ctx context.Context, conf config.Config, log *slog.Logger) error {
	n, err := openControl(ctx, conf, log, raftTimes{})
	if err != nil {
		return err
	}
	return errors.Join(n.run(ctx), n.close())
}

// enterControl makes the node a member of a cluster, if it is none yet, and does
// not run it.
func enterControl(ctx context.Context, conf config.Config, log *slog.Logger) error {
	n, err := newControl(ctx, conf, log, raftTimes{})
	if err == nil {
		log.Info("control node is in a cluster", "node", conf.Node, "id", n.id, "data_dir", conf.DataDir)
	}
	return errors.Join(err, n.close())
}

// raftTimes lets a node that is alone elect itself sooner.
type raftTimes struct{ election time.Duration }

// openControl opens a control node's data folder and everything in it. A new
// node founds a cluster or joins one first.
func openControl(ctx context.Context, conf config.Config, log *slog.Logger, times raftTimes) (*controlNode, error) {
	heap.LeaveRoom(heap.ControlRoom)
	n, err := newControl(ctx, conf, log, times)
	if err == nil {
		err = n.open()
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// newControl gives a control node that has its ports and is a member of a
// cluster; after an error too it is to be closed.
func newControl(ctx context.Context, conf config.Config, log *slog.Logger, times raftTimes) (*controlNode, error) {
	n := &controlNode{conf: conf, log: log, clock: clock.Real{}, times: times, machine: fsm.New(false)}
	if err := checkRaft(conf.Control.Raft); err != nil {
		return n, err
	}
	if err := checkLease(conf.Control.HostLease.D()); err != nil {
		return n, err
	}
	// The ports come first: a node that cannot have them founds and joins nothing.
	var err error
	if n.tcp, err = net.Listen("tcp", conf.Control.Listen); err != nil {
		return n, errs.E("control.open", errs.Internal, "the internal port cannot be opened", err)
	}
	if err := n.openGossip(); err != nil {
		return n, err
	}
	return n, n.enter(ctx)
}

// enter makes the node a member of a cluster, if it is none yet.
func (n *controlNode) enter(ctx context.Context) error {
	const op = "control.enter"
	_, err := raftnode.ClusterID(n.conf.DataDir)
	fresh := errs.Is(err, errs.NotFound)
	if fresh && !n.conf.Control.Bootstrap && n.conf.Control.Join == "" {
		// First of all: nothing is made where there is no cluster and none is to be.
		return errs.Errorf(op, errs.Invalid, "There is no cluster in %s. To make a new one of this node, start it once with --bootstrap; "+
			"to join one, with --join and the token that `kvorum operator token create --role control --name %s` gives there.", n.conf.DataDir, n.conf.Node)
	}
	if err != nil && !fresh {
		return err
	}
	if err := os.MkdirAll(n.conf.DataDir, 0o711); err != nil {
		return errs.E(op, errs.Internal, "the data folder cannot be made", err)
	}
	if n.id, err = nodeID(n.file(nodeIDFile)); err != nil || !fresh {
		return err
	}
	switch {
	case n.conf.Control.Bootstrap && n.conf.Control.Join != "":
		return errs.Errorf(op, errs.Invalid, "--bootstrap makes a new cluster and --join enters one: give one of them")
	case n.conf.Control.Bootstrap:
		return n.found()
	}
	return n.join(ctx)
}

// open opens all parts; what is open after an error is for close.
func (n *controlNode) open() error {
	var err error
	if n.box, err = seal.Load(n.file(dataKeyFile)); err != nil {
		return err
	}
	credentials, err := pki.Load(n.file(tlsDir))
	if err != nil {
		return err
	}
	n.endpoint = pki.Endpoint{Credentials: credentials, Clock: n.clock, Revoked: n.revoked}
	if n.passwords, err = identity.NewPasswords(loginsAtOnce); err != nil {
		return err
	}
	if n.raftStats, err = libraryMetrics(); err != nil {
		return err
	}
	if n.images, err = imagestore.Open(n.file("images"), 0); err != nil {
		return err
	}
	n.port = wire.Serve(n.tcp, wire.Config{Clock: n.clock, Log: n.log.With("part", "wire"),
		TLS: n.endpoint.Server(pki.Raft, pki.Peer, pki.Images, pki.Agents, pki.Join)})
	n.peers = &peerapi.Client{HTTP: n.to(pki.Peer)}
	n.replicas = n.newReplicas()
	if n.raft, err = raftnode.Open(n.raftConfig("")); err != nil {
		return err
	}
	n.cluster = &cluster{raft: n.raft, machine: n.machine, peers: n.peers, clock: n.clock, gossip: n.gossip.address}
	n.register = n.newRegister()
	n.metrics = operator.NewMetrics(n.samples, n.raftSamples, n.dutySamples, n.gossipSamples)
	return n.gossip.keepPools()
}

// raftConfig is raft's; without a port yet it has no way to other nodes.
func (n *controlNode) raftConfig(cluster string) raftnode.Config {
	c := raftnode.Config{Dir: n.conf.DataDir, NodeID: n.id, ClusterID: cluster, Address: n.advertised(), Machine: applier{n.machine},
		Clock: n.clock, Log: n.log.With("part", "raft"), ElectionTimeout: n.times.election,
		Snapshots: raftnode.SnapshotConfig{Interval: n.conf.Control.Raft.SnapshotInterval.D(),
			Threshold: uint64(n.conf.Control.Raft.SnapshotThreshold), Trailing: uint64(n.conf.Control.Raft.TrailingLogs)}}
	if n.port != nil {
		c.Stream, c.Peers = n.raftStream(), raftPeers{n.peers}
	}
	return c
}

// checkRaft refuses settings under which the log is never compacted, or all the
// time.
func checkRaft(r config.Raft) error {
	const most = 100_000_000
	switch {
	case r.SnapshotInterval.D() < time.Second || r.SnapshotInterval.D() > time.Hour:
		return errs.Errorf("control.open", errs.Invalid, "control.raft.snapshot_interval is %s: it must be from 1s to 1h", r.SnapshotInterval.D())
	case r.SnapshotThreshold < 64 || r.SnapshotThreshold > most:
		return errs.Errorf("control.open", errs.Invalid, "control.raft.snapshot_threshold is %d: it must be from 64 to %d", r.SnapshotThreshold, most)
	case r.TrailingLogs < 64 || r.TrailingLogs > most:
		return errs.Errorf("control.open", errs.Invalid, "control.raft.trailing_logs is %d: it must be from 64 to %d", r.TrailingLogs, most)
	}
	return nil
}

// run serves until ctx ends, a listener fails or the log does.
func (n *controlNode) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer n.ended.Store(true)
	failed := make(chan error, 8)
	duties := make(chan struct{})
	go func() {
		defer close(duties)
		if err := n.raft.RunAsLeader(ctx, n.lead); err != nil {
			failed <- err
		}
	}()
	replicating := make(chan struct{})
	go func() {
		defer close(replicating)
		n.replicas.Run(ctx, n.machine.Feed().Wait)
	}()
	gossiping := make(chan struct{})
	go func() { defer close(gossiping); n.gossip.run(ctx) }()
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		if err := n.untilRemoved(ctx); err != nil {
			failed <- err
		}
	}()
	servers, err := n.serve(failed)
	if err == nil {
		n.bound.Store(servers)
		n.log.Info("control node runs", "node", n.conf.Node, "id", n.id, "cluster", n.raft.ClusterID(), "public", servers.public,
			"internal", n.port.Addr(), "version", version)
		select {
		case <-ctx.Done():
		case err = <-failed:
		case err = <-n.raft.Fatal():
		}
	}
	servers.stop()
	cancel()
	<-duties
	<-replicating
	<-gossiping
	<-watching
	return err
}

// lead is what this node does while it leads.
func (n *controlNode) lead(ctx context.Context, term uint64) error {
	if err := firstStart(ctx, n, n.log); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	var members sync.WaitGroup
	defer members.Wait()
	members.Go(func() { n.raft.KeepMembers(ctx, n.wantedMembers, n.machine.Feed().Wait) })
	return leader.Run(ctx, leader.Deps{
		View: n.machine.View, Feed: n.machine.Feed(), Propose: n.cluster.duty,
		Clock: n.clock, Term: term, Log: n.log.With("part", "leader"),
		Lease: n.conf.Control.HostLease.D(), Electorate: n.electorate, Poll: n.poll, Counters: &n.duties,
	})
}

// wantedMembers are the control nodes that the state knows.
func (n *controlNode) wantedMembers() (out []raftnode.Server) {
	for c := range n.machine.View().ControlNodes() {
		out = append(out, raftnode.Server{ID: string(c.ID), Address: c.Address})
	}
	return out
}

// close stops what is open.
func (n *controlNode) close() error {
	var all []error
	if n.raft != nil {
		all = append(all, n.raft.Close())
	}
	switch {
	case n.port != nil:
		all = append(all, n.port.Close())
	case n.tcp != nil:
		all = append(all, n.tcp.Close())
	}
	if n.images != nil {
		all = append(all, n.images.Close())
	}
	if n.gossip != nil {
		all = append(all, n.gossip.close())
	}
	return errors.Join(all...)
}

func (n *controlNode) file(name string) string { return filepath.Join(n.conf.DataDir, name) }
