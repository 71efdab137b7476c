package state

import (
	"iter"

	"github.com/kvorum/kvorum/internal/model"
)

// Authority is the cluster's certificate authority; nil for a cluster without
// one, which stays alone.
func (v View) Authority() *model.Authority { return v.t.authority.get(model.Authority{}) }

// PutAuthority stores the authority.
func (tx *Tx) PutAuthority(a *model.Authority) { tx.t.authority.put(a) }

// ControlNode finds a control node.
func (v View) ControlNode(id model.NodeID) *model.ControlNode {
	return v.t.controlNodes.get(model.ControlNode{ID: id})
}

// ControlNodeNamed finds a control node by name.
func (v View) ControlNodeNamed(name string) *model.ControlNode {
	return v.t.controlNodes.first(nodesByName, model.ControlNode{Name: name})
}

// ControlNodes lists all control nodes.
func (v View) ControlNodes() iter.Seq[*model.ControlNode] { return v.t.controlNodes.all() }

// ControlNodeCount is how many there are.
func (v View) ControlNodeCount() int { return v.t.controlNodes.len() }

// PutControlNode stores a control node.
func (tx *Tx) PutControlNode(n *model.ControlNode) { tx.t.controlNodes.put(n) }

// DeleteControlNode removes a control node.
func (tx *Tx) DeleteControlNode(id model.NodeID) {
	tx.t.controlNodes.delete(&model.ControlNode{ID: id})
}

// JoinToken finds a join token.
func (v View) JoinToken(id model.TokenID) *model.JoinToken {
	return v.t.joinTokens.get(model.JoinToken{ID: id})
}

// JoinTokens lists all join tokens.
func (v View) JoinTokens() iter.Seq[*model.JoinToken] { return v.t.joinTokens.all() }

// JoinTokensByExpiry lists join tokens, the first to expire first.
func (v View) JoinTokensByExpiry() iter.Seq[*model.JoinToken] {
	return v.t.joinTokens.ordered(tokensByEnd)
}

// OpenJoinTokens lists the tokens that a node may join with at a time, the last
// to expire first.
func (v View) OpenJoinTokens(at int64) iter.Seq[*model.JoinToken] {
	return func(yield func(*model.JoinToken) bool) {
		for t := range v.t.joinTokens.backwards(tokensByOpen) {
			if !t.Open(at) || !yield(t) {
				return
			}
		}
	}
}

// PutJoinToken stores a join token.
func (tx *Tx) PutJoinToken(t *model.JoinToken) { tx.t.joinTokens.put(t) }

// DeleteJoinToken removes a join token.
func (tx *Tx) DeleteJoinToken(id model.TokenID) { tx.t.joinTokens.delete(&model.JoinToken{ID: id}) }

// Certificate finds a certificate by its serial number.
func (v View) Certificate(serial string) *model.Certificate {
	return v.t.certificates.get(model.Certificate{Serial: serial})
}

// Certificates lists all certificates.
func (v View) Certificates() iter.Seq[*model.Certificate] { return v.t.certificates.all() }

// CertificatesOf lists a node's certificates.
func (v View) CertificatesOf(id model.NodeID) iter.Seq[*model.Certificate] {
	return v.t.certificates.where(certsByNode, &model.Certificate{NodeID: id})
}

// CertificateForKey finds a certificate that was given for a public key.
func (v View) CertificateForKey(hash string) *model.Certificate {
	return v.t.certificates.first(certsByKey, model.Certificate{KeyHash: hash})
}

// CertificatesByEnd lists certificates, the first to end first.
func (v View) CertificatesByEnd() iter.Seq[*model.Certificate] {
	return v.t.certificates.ordered(certsByEnding)
}

// PutCertificate stores a certificate.
func (tx *Tx) PutCertificate(c *model.Certificate) { tx.t.certificates.put(c) }

// DeleteCertificate removes a certificate.
func (tx *Tx) DeleteCertificate(serial string) {
	tx.t.certificates.delete(&model.Certificate{Serial: serial})
}
