package raftnode

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
)

const (
	raftDir     = "raft"
	unbornDir   = "raft.new" // a folder under construction; it never ran
	clusterFile = "cluster"
)

// Bootstrap makes a new cluster whose voters are servers, once in the life of
// the cluster and on one of them; the others are made with Prepare. It gives
// Conflict if Dir holds any raft state. The folder appears whole, with the
// cluster's UUID inside, or not at all.
func Bootstrap(cfg Config, servers []Server) error {
	if len(servers) == 0 {
		return errs.E("raftnode.bootstrap", errs.Invalid, "a cluster needs at least one server", nil)
	}
	return create(cfg, func(cfg *Config, p *parts) error { return bootstrapParts(cfg, p, servers) })
}

// Prepare binds an empty Dir to an existing cluster, so that the node can be
// opened and wait to be heard by it. It gives Conflict if Dir holds any raft
// state.
func Prepare(cfg Config) error {
	return create(cfg, func(*Config, *parts) error { return nil })
}

func create(cfg Config, seed func(*Config, *parts) error) error {
	const op = "raftnode.bootstrap"
	cfg.fill()
	cfg.Stream = nil // nobody is to be heard before the folder is whole
	if cfg.Dir == "" || cfg.NodeID == "" || cfg.ClusterID == "" {
		return errs.E(op, errs.Invalid, "a data folder, a node id and a cluster id are needed", nil)
	}
	final, unborn := filepath.Join(cfg.Dir, raftDir), filepath.Join(cfg.Dir, unbornDir)
	if _, err := os.Stat(final); !errors.Is(err, fs.ErrNotExist) {
		return errs.E(op, errs.Conflict, final+" exists: this node belongs to a cluster already", err)
	}
	if err := os.RemoveAll(unborn); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	if err := os.MkdirAll(unborn, 0o700); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	p, err := openParts(&cfg, unborn)
	if err != nil {
		return err
	}
	err = seed(&cfg, p)
	if cerr := p.close(); err == nil && cerr != nil {
		err = errs.E(op, errs.Internal, "", cerr)
	}
	if err != nil {
		return err
	}
	if err := writeSynced(filepath.Join(unborn, clusterFile), cfg.ClusterID+"\n"); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	if err := errors.Join(syncDir(unborn), os.Rename(unborn, final), syncDir(cfg.Dir)); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	return nil
}

func bootstrapParts(cfg *Config, p *parts, servers []Server) error {
	rc, err := cfg.raft()
	if err != nil {
		return err
	}
	var c raft.Configuration
	for _, s := range servers {
		c.Servers = append(c.Servers, raft.Server{ID: raft.ServerID(s.ID), Address: raft.ServerAddress(s.Address)})
	}
	err = raft.BootstrapCluster(rc, p.log, p.stable, p.snaps, p.trans, c)
	if errors.Is(err, raft.ErrCantBootstrap) {
		return errs.E("raftnode.bootstrap", errs.Conflict, "this node holds raft state already", err)
	}
	if err != nil {
		return errs.E("raftnode.bootstrap", errs.Internal, "", err)
	}
	return nil
}

// ClusterID reads the UUID of the cluster that the data folder dir belongs
// to. It gives NotFound before Bootstrap or Prepare.
func ClusterID(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, raftDir, clusterFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", errs.E("raftnode.clusterID", errs.NotFound, dir+" does not belong to a cluster yet", err)
	}
	if err != nil {
		return "", errs.E("raftnode.clusterID", errs.Internal, "", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// checkCluster holds the folder against the configuration and fills in the
// cluster's UUID.
func (c *Config) checkCluster() error {
	id, err := ClusterID(c.Dir)
	if err != nil {
		return err
	}
	if c.ClusterID != "" && c.ClusterID != id {
		return errs.Errorf("raftnode.open", errs.Conflict, "%s belongs to cluster %s, not to %s", c.Dir, id, c.ClusterID)
	}
	c.ClusterID = id
	return nil
}

func writeSynced(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
