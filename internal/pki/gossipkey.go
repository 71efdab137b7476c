package pki

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"

	"github.com/kvorum/kvorum/internal/errs"
)

// gossipKeyBytes is the length of a gossip key: AES-256.
const gossipKeyBytes = 32

// NewGossipKey makes the cluster's gossip key. Only control nodes have it.
func NewGossipKey() ([]byte, error) {
	b := make([]byte, gossipKeyBytes)
	if _, err := rand.Read(b); err != nil {
		return nil, errs.E("pki.gossipKey", errs.Internal, "", err)
	}
	return b, nil
}

// AgentsGossipKey is the key of the pool in which agents are found. Control
// nodes make it of the cluster's gossip key, agents are given it: an agent
// can never speak in the control nodes' own pool.
func AgentsGossipKey(clusterKey []byte) ([]byte, error) {
	b, err := hkdf.Expand(sha256.New, clusterKey, "kvorum gossip agents", gossipKeyBytes)
	if err != nil {
		return nil, errs.E("pki.gossipKey", errs.Internal, "", err)
	}
	return b, nil
}
