package joinapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/pki/joining"
)

// keepSeconds is how long the log remembers what a join was answered: as long as
// a try may be under way. Later tries are answered by the command itself.
const keepSeconds = 60

// admit lets a node in, or refuses it.
func (h *handler) admit(ctx context.Context, in joining.Ask) (joining.Answer, error) {
	v, err := h.Cluster.Read(ctx)
	if err != nil {
		return joining.Answer{}, err
	}
	token, err := recognize(v, in, h.Clock.Now().UnixNano())
	if err != nil {
		return joining.Answer{}, err
	}
	authority, err := h.authority(v)
	if err != nil {
		return joining.Answer{}, err
	}
	cert, c, err := h.decide(authority, token, in)
	if err != nil {
		return joining.Answer{}, err
	}
	id, err := requestID(c)
	if err != nil {
		return joining.Answer{}, err
	}
	done, err := h.Cluster.Propose(ctx, command.Envelope{ID: id, Keep: keepSeconds, By: command.By{System: command.Join}, Command: c})
	if errs.Is(err, errs.Unauthorized) {
		return joining.Answer{}, badToken()
	}
	if err != nil {
		return joining.Answer{}, err
	}
	if cert, err = asRecorded(done.View, authority, cert, c, in); err != nil {
		return joining.Answer{}, err
	}
	return h.tell(done.View, authority, cert, in)
}

// recognize finds the token and makes sure that the node may use it. It takes
// equally long and says the same whatever is wrong.
func recognize(v state.View, in joining.Ask, now int64) (*model.JoinToken, error) {
	token := v.JoinToken(model.TokenID(in.TokenID))
	known := token
	if known == nil {
		known = &model.JoinToken{SecretHash: make([]byte, sha256.Size)}
	}
	secret := subtle.ConstantTimeCompare(pki.HashSecret(in.Secret), known.SecretHash) == 1
	if token == nil || !secret || token.Role != in.Role || token.Name != in.Name || token.UsedAt == 0 && !token.Open(now) {
		return nil, badToken()
	}
	return token, nil
}

func badToken() error {
	return errs.Errorf("joinapi.recognize", errs.Unauthorized, "The join token is not good: ask for a new one.")
}

// authority brings back the cluster's authority.
func (h *handler) authority(v state.View) (*pki.Authority, error) {
	a := v.Authority()
	if a == nil {
		return nil, errs.Errorf("joinapi.authority", errs.Unavailable, "This cluster has no certificate authority.")
	}
	key, err := h.Opener.Open(SealedCAKey, a.Key)
	if err != nil {
		return nil, err
	}
	authority, err := pki.LoadAuthority(a.Certificate, key)
	if err != nil {
		return nil, errs.Errorf("joinapi.authority", errs.Internal, "")
	}
	return authority, nil
}

// decide signs a certificate for the key that asks, in the words of the token,
// and makes the command that records it. The same token, key and node give the
// same command, so that a repeated request is the same request.
func (h *handler) decide(a *pki.Authority, token *model.JoinToken, in joining.Ask) (*x509.Certificate, *command.NodeJoin, error) {
	who := pki.Identity{Cluster: a.Cluster(), Role: pki.Role(token.Role), ID: in.NodeID, Name: token.Name}
	public, err := pki.CheckRequest(in.CSR, who)
	if err != nil {
		return nil, nil, err
	}
	key, err := pki.KeyFingerprint(public)
	if err != nil {
		return nil, nil, err
	}
	if token.UsedAt != 0 && (token.UsedKey != key.String() || string(token.NodeID) != in.NodeID) {
		return nil, nil, badToken()
	}
	cert, err := a.Issue(in.CSR, who, pki.JoinTerms(token.SecretHash, key, time.Unix(0, token.CreatedAt), h.Life))
	if err != nil {
		return nil, nil, err
	}
	return cert, &command.NodeJoin{TokenID: token.ID, NodeID: model.NodeID(in.NodeID), Role: token.Role, Name: token.Name,
		KeyHash: key.String(), Serial: pki.SerialOf(cert), NotBefore: cert.NotBefore.UnixNano(), NotAfter: cert.NotAfter.UnixNano(),
		Address: in.Address, PublicURL: in.PublicURL, Version: in.Version}, nil
}

// requestID names a join by all that it is about.
func requestID(c *command.NodeJoin) (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", errs.E("joinapi.requestID", errs.Internal, "", err)
	}
	sum := sha256.Sum256(b)
	return "join-" + hex.EncodeToString(sum[:16]), nil
}

// asRecorded gives the certificate that the state has on record: this one, or,
// where another control node with another idea of a certificate's life was
// asked first, that one.
func asRecorded(v state.View, a *pki.Authority, cert *x509.Certificate, c *command.NodeJoin, in joining.Ask) (*x509.Certificate, error) {
	token := v.JoinToken(c.TokenID)
	if token == nil {
		return nil, badToken() // taken back a moment ago
	}
	r := v.Certificate(token.Serial)
	if r == nil || r.RevokedAt != 0 || r.KeyHash != c.KeyHash {
		return nil, badToken()
	}
	if r.Serial == c.Serial && r.NotBefore == c.NotBefore && r.NotAfter == c.NotAfter {
		return cert, nil
	}
	who := pki.Identity{Cluster: a.Cluster(), Role: pki.Role(r.Role), ID: string(r.NodeID), Name: r.Name}
	return a.Issue(in.CSR, who, pki.Terms{Serial: r.Serial, NotBefore: time.Unix(0, r.NotBefore).UTC(), NotAfter: time.Unix(0, r.NotAfter).UTC()})
}

// tell is what a node that was let in needs.
func (h *handler) tell(v state.View, a *pki.Authority, cert *x509.Certificate, in joining.Ask) (joining.Answer, error) {
	gossip, err := h.Opener.Open(SealedGossipKey, v.Authority().GossipKey)
	if err != nil {
		return joining.Answer{}, err
	}
	out := joining.Answer{ClusterID: v.Cluster().ID, Incarnation: v.Cluster().Incarnation, CA: a.Certificate().Raw, Certificate: cert.Raw, GossipKey: gossip}
	for n := range v.ControlNodes() {
		out.Controls = append(out.Controls, joining.Control{ID: string(n.ID), Name: n.Name, Address: n.Address})
	}
	if in.Role == model.NodeControl {
		out.DataKey, err = h.DataKey()
		return out, err
	}
	out.GossipKey, err = pki.AgentsGossipKey(gossip)
	return out, err
}
