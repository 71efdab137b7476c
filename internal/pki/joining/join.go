package joining

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/wire"
)

const (
	// perNode bounds the call of one control node.
	perNode = 15 * time.Second
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 1 << 20
)

// Request says who wants to join.
type Request struct {
	Role pki.Role
	// Name must be the one that the token is for.
	Name string
	// ID is the node's UUID.
	ID string
	// Address, PublicURL and Version are a control node's.
	Address, PublicURL, Version string
	// Key (optional) is the node's, from pki.PendingKey: with the same one a
	// node that did not hear the answer may ask again. Without it a new one is
	// made.
	Key crypto.Signer
	// Clock (optional) tells whether certificates are good; the machine's without
	// it.
	Clock clock.Clock
}

// Join asks the control nodes that the token names, in turn, until one answers
// for good. errs.Unauthorized: the token is not good (any more), or the servers
// are not of its cluster; errs.Conflict: the name or id is somebody else's;
// errs.Unavailable, Unknown, Busy: try again, with the same key.
func Join(ctx context.Context, token pki.Token, r Request) (*pki.Credentials, Answer, error) {
	if r.Clock == nil {
		r.Clock = clock.Real{}
	}
	if r.Key == nil {
		key, err := pki.NewKey()
		if err != nil {
			return nil, Answer{}, err
		}
		r.Key = key
	}
	who := pki.Identity{Cluster: token.Cluster, Role: r.Role, ID: r.ID, Name: r.Name}
	csr, err := pki.NewRequest(r.Key, who)
	if err != nil {
		return nil, Answer{}, err
	}
	body, err := json.Marshal(Ask{TokenID: token.ID, Secret: token.Secret[:], Role: string(r.Role), Name: r.Name, NodeID: r.ID, CSR: csr,
		Address: r.Address, PublicURL: r.PublicURL, Version: r.Version})
	if err != nil {
		return nil, Answer{}, errs.E("joining.join", errs.Internal, "", err)
	}
	answer, err := askAll(ctx, token, r.Clock, body)
	if err != nil {
		return nil, Answer{}, err
	}
	creds, err := accept(token, r.Key, who, answer)
	return creds, answer, err
}

// accept makes sure that the answer is for this node.
func accept(token pki.Token, key crypto.Signer, who pki.Identity, a Answer) (*pki.Credentials, error) {
	const op = "joining.accept"
	creds, err := pki.NewCredentials(key, a.Certificate, a.CA)
	if err != nil {
		return nil, errs.E(op, errs.Unauthorized, "The control node's answer is not for this node.", err)
	}
	if pki.FingerprintOf(creds.Authority()) != token.Authority || creds.Identity() != who || a.ClusterID != token.Cluster {
		return nil, errs.Errorf(op, errs.Unauthorized, "The control node's answer is for %s of cluster %s, not for %s of %s.",
			creds.Identity(), a.ClusterID, who, token.Cluster)
	}
	return creds, nil
}

// askAll asks one control node after another.
func askAll(ctx context.Context, token pki.Token, clk clock.Clock, body []byte) (Answer, error) {
	t := wire.Transport(func(string) *tls.Config { return pki.JoinClient(token, clk) })
	defer t.CloseIdleConnections()
	client := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	last := errs.Errorf("joining.ask", errs.Invalid, "The join token names no control node.")
	for _, address := range token.Addresses {
		answer, final, err := ask(ctx, client, address, body)
		if err == nil || final {
			return answer, err
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	return Answer{}, last
}

// ask asks one control node. An error is final if no other one would answer
// otherwise.
func ask(ctx context.Context, client *http.Client, address string, body []byte) (answer Answer, final bool, err error) {
	const op = "joining.ask"
	ctx, cancel := context.WithTimeout(ctx, perNode)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+Path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, false, errs.E(op, errs.Invalid, "The address "+address+" cannot be called.", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		kind := errs.KindOf(err)
		if kind == errs.Internal {
			kind = errs.Unknown // it may have been done
		}
		return Answer{}, false, errs.E(op, kind, "The control node at "+address+" does not answer.", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil || len(b) > maxAnswer {
		return Answer{}, false, errs.E(op, errs.Unknown, "The answer of the control node at "+address+" broke off, or has no end.", err)
	}
	if resp.StatusCode != http.StatusOK {
		err = failure(resp.Status, b)
		kind := errs.KindOf(err)
		return Answer{}, !kind.Retryable() && kind != errs.Internal, err
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return Answer{}, false, errs.E(op, errs.Unknown, "The answer of the control node at "+address+" is not understood.", err)
	}
	return answer, false, nil
}

// failure is the error that an answer tells of.
func failure(status string, body []byte) error {
	var f Failure
	kind := errs.Unavailable
	if json.Unmarshal(body, &f) == nil {
		if k, known := errs.KindNamed(f.Error.Kind); known {
			kind = k
		}
	}
	if f.Error.Message == "" {
		f.Error.Message = "The control node answered " + status + "."
	}
	return errs.E("joining.ask", kind, f.Error.Message, nil)
}
