package state

import (
	"crypto/sha256"

	"github.com/kvorum/kvorum/internal/model"
)

func checkAuthority(v View, bad func(string, ...any)) {
	a, n := v.Authority(), v.ControlNodeCount()
	if a != nil && (n == 0 || len(a.Certificate) == 0 || len(a.Key) == 0) {
		bad("there are %d control nodes, and an authority with %d and %d bytes", n, len(a.Certificate), len(a.Key))
	}
	if a == nil && n > 0 {
		bad("there are %d control nodes and no authority", n)
	}
}

func checkJoinTokens(v View, bad func(string, ...any)) {
	for t := range v.JoinTokens() {
		life := t.ExpiresAt - t.CreatedAt
		if t.Role != model.NodeControl && t.Role != model.NodeAgent || t.Name == "" || len(t.SecretHash) != sha256.Size || life <= 0 || life > model.MaxTokenLife {
			bad("token %s is for %q %q, has a hash of %d bytes and lives for %d ns", t.ID, t.Role, t.Name, len(t.SecretHash), life)
		}
	}
}

func checkUsedTokens(v View, bad func(string, ...any)) {
	for t := range v.JoinTokens() {
		used := t.UsedAt != 0
		if used != (t.UsedKey != "") || used != (t.NodeID != "") || used != (t.Serial != "") {
			bad("token %s is used at %d by %q, key %q, for %q", t.ID, t.UsedAt, t.NodeID, t.UsedKey, t.Serial)
			continue
		}
		c := v.Certificate(t.Serial)
		if used && (c == nil || c.NodeID != t.NodeID || c.KeyHash != t.UsedKey || c.Role != t.Role || c.Name != t.Name) {
			bad("token %s of %s %s gave %v", t.ID, t.Role, t.Name, c)
		}
	}
}

func checkCertificateOwners(v View, bad func(string, ...any)) {
	for c := range v.Certificates() {
		n := v.ControlNode(c.NodeID)
		if c.RevokedAt != 0 {
			continue
		}
		if c.Role == model.NodeControl && (n == nil || n.Name != c.Name) {
			bad("certificate %s of %s %s", c.Serial, c.Name, c.NodeID)
		}
		if c.Role != model.NodeControl && (c.Role != model.NodeAgent || n != nil) {
			bad("certificate %s makes %q of control node %s", c.Serial, c.Role, c.NodeID)
		}
	}
}

func checkCertificateKeys(v View, bad func(string, ...any)) {
	owner := map[string]model.NodeID{}
	for c := range v.Certificates() {
		if was, known := owner[c.KeyHash]; known && was != c.NodeID || c.KeyHash == "" {
			bad("key %q is that of %s and %s", c.KeyHash, was, c.NodeID)
		}
		owner[c.KeyHash] = c.NodeID
	}
}
