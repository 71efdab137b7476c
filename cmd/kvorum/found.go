package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/api/joinapi"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/seal"
	"github.com/kvorum/kvorum/raftnode"
)

// foundingFile holds what a new cluster is made of until its first command is
// in the log. So a node that stops on the way goes on with the same when it is
// started again.
const foundingFile = "founding.json"

// founding is the content of foundingFile. Its keys are sealed under the data
// key, as they will be in the state.
type founding struct {
	ClusterID string `json:"cluster_id"`
	Authority []byte `json:"authority"`
	Key       []byte `json:"key"`
	GossipKey []byte `json:"gossip_key"`
}

// found makes a new cluster of this node alone: the data key, the authority,
// the node's certificate, and the log with one voter. The log comes last: a
// node that has one is never founded again.
func (n *controlNode) found() error {
	box, err := seal.Load(n.file(dataKeyFile))
	if errs.Is(err, errs.NotFound) {
		box, err = seal.Create(n.file(dataKeyFile))
	}
	if err != nil {
		return err
	}
	f, err := n.foundingOf(box)
	if err != nil {
		return err
	}
	if err := n.certifyFirst(box, f); err != nil {
		return err
	}
	return raftnode.Bootstrap(n.raftConfig(f.ClusterID), []raftnode.Server{{ID: n.id, Address: n.advertised()}})
}

// foundingOf reads the founding, or makes a new one.
func (n *controlNode) foundingOf(box *seal.Box) (*founding, error) {
	const op = "control.found"
	file := n.file(foundingFile)
	b, err := os.ReadFile(file)
	if err == nil {
		f := &founding{}
		if err := json.Unmarshal(b, f); err != nil {
			return nil, errs.E(op, errs.Invalid, file+" is damaged: remove it, and begin anew", err)
		}
		return f, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, errs.E(op, errs.Internal, "the founding file cannot be read", err)
	}
	f := &founding{ClusterID: uuid.NewString()}
	authority, err := pki.NewAuthority(f.ClusterID, n.clock.Now())
	if err != nil {
		return nil, err
	}
	f.Authority = authority.Certificate().Raw
	key, err := authority.Key()
	if err != nil {
		return nil, err
	}
	gossip, err := pki.NewGossipKey()
	if err != nil {
		return nil, err
	}
	if f.Key, err = box.Seal(joinapi.SealedCAKey, key); err != nil {
		return nil, err
	}
	if f.GossipKey, err = box.Seal(joinapi.SealedGossipKey, gossip); err != nil {
		return nil, err
	}
	if b, err = json.Marshal(f); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	return f, seal.WriteSecret(file, string(b))
}

// certifyFirst gives the first node its certificate.
func (n *controlNode) certifyFirst(box *seal.Box, f *founding) error {
	key, err := box.Open(joinapi.SealedCAKey, f.Key)
	if err != nil {
		return err
	}
	authority, err := pki.LoadAuthority(f.Authority, key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.file(tlsDir), 0o700); err != nil {
		return errs.E("control.found", errs.Internal, "", err)
	}
	own, err := pki.PendingKey(n.file(tlsDir))
	if err != nil {
		return err
	}
	who := pki.Identity{Cluster: f.ClusterID, Role: pki.Control, ID: n.id, Name: n.conf.Node}
	csr, err := pki.NewRequest(own, who)
	if err != nil {
		return err
	}
	cert, err := authority.Sign(csr, who, n.clock.Now(), pki.DefaultLife)
	if err != nil {
		return err
	}
	c, err := pki.NewCredentials(own, cert.Raw, f.Authority)
	if err != nil {
		return err
	}
	return c.Save(n.file(tlsDir))
}

// founded reads the founding of a cluster whose first command is not in the
// log yet; nil if there is none.
func (n *controlNode) founded() (*founding, error) {
	if _, err := os.Stat(n.file(foundingFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return n.foundingOf(n.box)
}

// forgetFounding removes the file when the state has all of it.
func (n *controlNode) forgetFounding() error {
	if err := os.Remove(n.file(foundingFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.E("control.found", errs.Internal, "the founding file cannot be removed", err)
	}
	return nil
}

// nodeID is this node's UUID, made at its first start: whoever loses it is a
// new node.
func nodeID(file string) (string, error) {
	id, err := secret(file, func() (string, error) { return uuid.NewString(), nil })
	if err == nil && !model.IsUUID(id) {
		return "", errs.Errorf("main.nodeID", errs.Invalid, "%s does not hold a UUID", file)
	}
	return id, err
}
