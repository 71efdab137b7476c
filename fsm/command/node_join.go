package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// NodeJoin uses a join token: its node gets a certificate and, if it is a
// control node, becomes a member. A host becomes one when it registers.
//
// Rules: the actor is a control node that has seen the token's secret and a
// request signed by the node's key; the record is well-formed. The token is
// there, for this role and name, and not expired. One that was used already
// gives the same key and node the same certificate again, as long as the token
// is remembered and the certificate is good, and nobody else anything. The key
// and the serial number are new. Nobody else has the name, the id or, of the
// control nodes, the address: a host keeps its id and name, and a control node
// that comes back as such was removed first. The certificate outlives the
// token. Older certificates of the node are taken back.
type NodeJoin struct {
	TokenID model.TokenID `json:"token_id"`
	NodeID  model.NodeID  `json:"node_id"`
	Role    string        `json:"role"`
	Name    string        `json:"name"`
	// KeyHash, Serial, NotBefore and NotAfter are the certificate's.
	KeyHash   string `json:"key_hash"`
	Serial    string `json:"serial"`
	NotBefore int64  `json:"not_before"`
	NotAfter  int64  `json:"not_after"`
	// Address, PublicURL and Version are a control node's.
	Address   string `json:"address,omitempty"`
	PublicURL string `json:"public_url,omitempty"`
	Version   string `json:"version,omitempty"`
}

// Kind implements Command.
func (*NodeJoin) Kind() string { return "node.join/1" }

// Apply implements Command. The id that it gives is the certificate's serial
// number.
func (c *NodeJoin) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "node.join"
	if err := onlySystem(op, m.By, Join); err != nil {
		return nil, err
	}
	cert := &model.Certificate{Serial: c.Serial, Role: c.Role, NodeID: c.NodeID, Name: c.Name, KeyHash: c.KeyHash,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter}
	if err := invalid(op, c.check(cert, m.At)); err != nil {
		return nil, err
	}
	token := tx.JoinToken(c.TokenID)
	if token == nil || token.Role != c.Role || token.Name != c.Name {
		return nil, badToken(op)
	}
	if token.UsedAt != 0 {
		return c.again(tx, token)
	}
	if !token.Open(m.At) {
		return nil, badToken(op)
	}
	if c.NotAfter < token.ExpiresAt {
		return nil, refuse(op, errs.Invalid, "the certificate ends before the join token")
	}
	if err := newCertificate(tx, op, cert); err != nil {
		return nil, err
	}
	if err := c.checkNewcomer(tx); err != nil {
		return nil, err
	}
	revokeCertificates(tx, c.NodeID)
	tx.PutCertificate(cert)
	if c.Role == model.NodeControl {
		tx.PutControlNode(&model.ControlNode{ID: c.NodeID, Name: c.Name, Address: c.Address, PublicURL: c.PublicURL, Version: c.Version, JoinedAt: m.At})
	}
	used := token.Clone()
	used.UsedAt, used.UsedKey, used.NodeID, used.Serial = m.At, c.KeyHash, c.NodeID, c.Serial
	tx.PutJoinToken(used)
	return []string{c.Serial}, nil
}

// badToken is the one refusal of a token, whatever is wrong with it.
func badToken(op string) error {
	return refuse(op, errs.Unauthorized, "The join token is not good: ask for a new one.")
}

// check tells what is wrong with the command itself.
func (c *NodeJoin) check(cert *model.Certificate, at int64) error {
	if err := checkCertificate(cert, at); err != nil {
		return err
	}
	if c.Role == model.NodeControl {
		return checkNode(c.Name, c.Address, c.PublicURL, c.Version)
	}
	return model.CheckNodeName(c.Name)
}

// again answers a node that joined already and did not hear of it.
func (c *NodeJoin) again(tx *state.Tx, token *model.JoinToken) ([]string, error) {
	cert := tx.Certificate(token.Serial)
	if token.UsedKey != c.KeyHash || token.NodeID != c.NodeID || cert == nil || cert.RevokedAt != 0 {
		return nil, badToken("node.join")
	}
	return []string{cert.Serial}, nil
}

// checkNewcomer refuses who would be mistaken for somebody else.
func (c *NodeJoin) checkNewcomer(tx *state.Tx) error {
	const op = "node.join"
	if err := newUUID(op, string(c.NodeID), tx.ControlNode(c.NodeID) != nil); err != nil {
		return err
	}
	for cert := range tx.CertificatesOf(c.NodeID) {
		if cert.RevokedAt == 0 && (cert.Role != c.Role || cert.Name != c.Name) {
			return refuse(op, errs.Conflict, "Node %s is the %s %s.", c.NodeID, cert.Role, cert.Name)
		}
	}
	host := tx.Host(model.HostID(c.NodeID))
	if c.Role == model.NodeAgent {
		named := tx.HostNamed(c.Name)
		if host != nil && host.Name != c.Name || named != nil && named.ID != model.HostID(c.NodeID) {
			return refuse(op, errs.Conflict, "Host %s has another name, or another host has the name %s.", c.NodeID, c.Name)
		}
		return nil
	}
	if host != nil {
		return refuse(op, errs.Conflict, "Node %s is the host %s.", c.NodeID, host.Name)
	}
	for n := range tx.ControlNodes() {
		if n.Name == c.Name || n.Address == c.Address {
			return refuse(op, errs.Conflict, "Control node %s has the name %s and the address %s: one of them is taken.", n.ID, n.Name, n.Address)
		}
	}
	return nil
}

func exampleNodeJoin() *NodeJoin {
	return &NodeJoin{TokenID: "00000000-0000-4000-8000-0000000000aa", NodeID: "00000000-0000-4000-8000-0000000000a2",
		Role: model.NodeControl, Name: "c2", KeyHash: exampleKeyHash[:62] + "c2", Serial: "000000000000000000000000000000e2",
		NotAfter: 3600e9, Address: "10.0.0.2:8770", PublicURL: "http://10.0.0.2:8774", Version: "1.0"}
}

// workNodeJoin uses an open token, or one that was used, again or by another
// key.
func workNodeJoin(g Gen) (Command, By, bool) {
	v := g.View()
	token, ok := pick(g, v.OpenJoinTokens(v.At))
	if used, any := pick(g, v.JoinTokens()); any && (!ok || g.Intn(4) == 0) {
		token, ok = used, true
	}
	if !ok {
		return nil, By{}, false
	}
	c := &NodeJoin{TokenID: token.ID, NodeID: model.NodeID(g.UUID()), Role: token.Role, Name: token.Name, KeyHash: g.Hex() + g.Hex(),
		Serial: g.Hex(), NotBefore: v.At, NotAfter: v.At + 3600e9 + int64(g.Intn(48*3600))*1e9}
	if token.UsedKey != "" && g.Intn(3) > 0 {
		c.NodeID, c.KeyHash = token.NodeID, token.UsedKey
	}
	if h := v.HostNamed(token.Name); h != nil && c.Role == model.NodeAgent {
		c.NodeID = model.NodeID(h.ID)
	}
	if c.Role == model.NodeControl {
		c.Address = "node-" + g.Hex()[:8] + ":8770"
	}
	return c, By{System: Join}, true
}
