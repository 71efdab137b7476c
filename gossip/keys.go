package gossip

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/hashicorp/memberlist"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxKeys bounds the ring: the key in use and the one before or after it. With
// two, the one that is removed is always the last, which is also what keeps
// the library from shifting keys under a packet that is being decrypted.
const maxKeys = 2

// keyring is this node's keys. They come from the control plane over mutual
// TLS and are changed on each node by itself; Serf's own way of changing them
// by gossip is closed, because there whoever has the old key could read the
// new one, or choose it.
type keyring struct {
	mu   sync.Mutex
	ring *memberlist.Keyring
}

func newKeyring(key, second []byte) (*keyring, error) {
	var more [][]byte
	if len(second) > 0 {
		more = append(more, bytes.Clone(second))
	}
	ring, err := memberlist.NewKeyring(more, bytes.Clone(key))
	if err != nil {
		return nil, errs.E("gossip.key", errs.Invalid, "the key is not taken", err)
	}
	return &keyring{ring: ring}, nil
}

// KeyID names a key without giving it away: the first 8 bytes of its SHA-256,
// in hexadecimal.
func KeyID(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// Keys gives the KeyIDs of the keys that this node accepts. The first is the
// one that it sends with.
func (p *Pool) Keys() []string { return p.keys.ids() }

// InstallKey makes this node accept a new key beside the one in use. It is the
// first step of a rotation, to be done on every node before any uses it.
// Again is fine. It gives Invalid for what is no key, and Conflict if there
// are two keys already.
func (p *Pool) InstallKey(key []byte) error { return p.keys.install(key) }

// UseKey makes this node send with an installed key. It is the second step,
// for when all nodes have it installed. It gives NotFound if this one has not.
func (p *Pool) UseKey(key []byte) error { return p.keys.use(key) }

// RemoveKey makes this node refuse a key from now on. It is the last step, for
// when no node uses it any more. A key that is not there is fine; one that is
// in use gives Conflict.
func (p *Pool) RemoveKey(key []byte) error { return p.keys.remove(key) }

func (k *keyring) ids() (ids []string) {
	for _, key := range k.ring.GetKeys() {
		ids = append(ids, KeyID(key))
	}
	return ids
}

func (k *keyring) has(key []byte) bool {
	return slices.ContainsFunc(k.ring.GetKeys(), func(have []byte) bool { return bytes.Equal(have, key) })
}

func (k *keyring) install(key []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.has(key) && len(k.ring.GetKeys()) >= maxKeys {
		return errs.Errorf("gossip.installKey", errs.Conflict, "There are %d keys already. Remove the old one first.", maxKeys)
	}
	if err := k.ring.AddKey(bytes.Clone(key)); err != nil {
		return errs.E("gossip.installKey", errs.Invalid, "", err)
	}
	return nil
}

func (k *keyring) use(key []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.has(key) {
		return errs.Errorf("gossip.useKey", errs.NotFound, "Key %s is not installed.", KeyID(key))
	}
	if err := k.ring.UseKey(bytes.Clone(key)); err != nil {
		return errs.E("gossip.useKey", errs.Internal, "", err)
	}
	return nil
}

func (k *keyring) remove(key []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if bytes.Equal(k.ring.GetPrimaryKey(), key) {
		return errs.Errorf("gossip.removeKey", errs.Conflict, "Key %s is in use.", KeyID(key))
	}
	if err := k.ring.RemoveKey(key); err != nil {
		return errs.E("gossip.removeKey", errs.Internal, "", err)
	}
	return nil
}
