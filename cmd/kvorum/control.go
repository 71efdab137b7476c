package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/api/identity"
	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/seal"
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
	box       *seal.Box
	secret    string // the agents'
	images    *imagestore.Store
	machine   *fsm.Machine
	raft      *raftnode.Node
	cluster   *cluster
	leases    *leader.Leases
	duties    leader.Counters
	passwords *identity.Passwords
	metrics   *operator.Metrics
	raftStats *raftnode.Metrics
	// bound are the listeners once they are open; ended that run is over.
	bound atomic.Pointer[servers]
	ended atomic.Bool
}

// runControl runs a control node until ctx ends or the node must stop.
func runControl(ctx context.Context, conf config.Config, log *slog.Logger) error {
	n, err := openControl(conf, log, raftTimes{})
	if err != nil {
		return err
	}
	return errors.Join(n.run(ctx), n.close())
}

// raftTimes lets a node that is alone elect itself sooner.
type raftTimes struct{ election time.Duration }

// openControl opens a control node's data folder and everything in it.
func openControl(conf config.Config, log *slog.Logger, times raftTimes) (*controlNode, error) {
	// First of all: nothing is made, and no lesser lack is named, where there is
	// no cluster and none is to be.
	if _, err := raftnode.ClusterID(conf.DataDir); errs.Is(err, errs.NotFound) && !conf.Control.Bootstrap {
		return nil, errs.Errorf("control.open", errs.Invalid,
			"There is no cluster in %s. To make a new one of this node, start it once with --control.bootstrap=true.", conf.DataDir)
	}
	if err := os.MkdirAll(conf.DataDir, 0o711); err != nil {
		return nil, errs.E("control.open", errs.Internal, "the data folder cannot be made", err)
	}
	n := &controlNode{conf: conf, log: log, clock: clock.Real{}, machine: fsm.New(false)}
	var err error
	if n.box, err = dataKey(conf); err != nil {
		return nil, err
	}
	if n.secret, err = secret(filepath.Join(conf.DataDir, agentSecretFile), random); err != nil {
		return nil, err
	}
	if n.passwords, err = identity.NewPasswords(loginsAtOnce); err != nil {
		return nil, err
	}
	if n.raftStats, err = raftnode.CollectMetrics(); err != nil {
		return nil, err
	}
	if n.images, err = imagestore.Open(filepath.Join(conf.DataDir, "images"), 0); err != nil {
		return nil, err
	}
	if err := n.openRaft(times); err != nil {
		return nil, errors.Join(err, n.images.Close())
	}
	n.cluster = &cluster{raft: n.raft, machine: n.machine}
	n.leases = leader.NewLeases()
	n.metrics = operator.NewMetrics(n.samples, n.raftSamples, n.dutySamples)
	return n, nil
}

func (n *controlNode) openRaft(times raftTimes) error {
	rc := raftnode.Config{Dir: n.conf.DataDir, NodeID: n.conf.Node, Machine: replica{n.machine},
		Clock: n.clock, Log: n.log.With("part", "raft"), ElectionTimeout: times.election}
	_, err := raftnode.ClusterID(n.conf.DataDir)
	if errs.Is(err, errs.NotFound) {
		first := rc
		first.ClusterID = uuid.NewString()
		err = raftnode.Bootstrap(first, []raftnode.Server{{ID: n.conf.Node, Address: n.conf.Node}})
	}
	if err != nil {
		return err
	}
	n.raft, err = raftnode.Open(rc)
	return err
}

// run serves until ctx ends, a listener fails or the log does.
func (n *controlNode) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer n.ended.Store(true)
	failed := make(chan error, 4)
	duties := make(chan struct{})
	go func() {
		defer close(duties)
		if err := n.raft.RunAsLeader(ctx, n.lead); err != nil {
			failed <- err
		}
	}()
	servers, err := n.serve(failed)
	if err == nil {
		n.bound.Store(servers)
		n.log.Info("control node runs", "node", n.conf.Node, "cluster", n.raft.ClusterID(), "public", servers.public, "internal", servers.internal, "version", version)
		select {
		case <-ctx.Done():
		case err = <-failed:
		case err = <-n.raft.Fatal():
		}
	}
	servers.stop()
	cancel()
	<-duties
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
	return leader.Run(ctx, leader.Deps{
		View: n.machine.View, Feed: n.machine.Feed(), Propose: n.cluster.duty,
		Clock: n.clock, Term: term, Leases: n.leases, Log: n.log.With("part", "leader"),
		Lease: n.conf.Control.HostLease.D(), Counters: &n.duties,
	})
}

func (n *controlNode) close() error { return errors.Join(n.raft.Close(), n.images.Close()) }
