package main

import (
	"context"
	"encoding/hex"
	"os"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/pki/joining"
	"github.com/kvorum/kvorum/internal/seal"
	"github.com/kvorum/kvorum/raftnode"
)

// joinPause is how long a node waits before it asks again for admission that
// was not refused.
const joinPause = 2 * time.Second

// join makes this node a control node of the cluster that its token names. It
// has the log's folder last: until then it joins again, with the same key.
func (n *controlNode) join(ctx context.Context) error {
	creds, answer, err := admission(ctx, n.file(tlsDir), n.conf.Control.Join, joining.Request{Role: pki.Control, Name: n.conf.Node, ID: n.id,
		Address: n.advertised(), PublicURL: n.conf.Public.URL, Version: version, Clock: n.clock})
	if err != nil {
		return err
	}
	if err := writeOnce(n.file(dataKeyFile), hex.EncodeToString(answer.DataKey)); err != nil {
		return err
	}
	if err := creds.Save(n.file(tlsDir)); err != nil {
		return err
	}
	return raftnode.Prepare(n.raftConfig(answer.ClusterID))
}

// join makes this host a member of the cluster that its token names.
func (a *agent) join(ctx context.Context) (*pki.Credentials, error) {
	if a.conf.Agent.Join == "" {
		return nil, errs.Errorf("agent.join", errs.Invalid, "This host belongs to no cluster yet. To join one, start the agent once with --join and the token that "+
			"`kvorum operator token create --role agent --name %s` gives on a control node.", a.conf.Node)
	}
	creds, answer, err := admission(ctx, a.file(tlsDir), a.conf.Agent.Join, joining.Request{Role: pki.Agent, Name: a.conf.Node, ID: a.id, Version: version, Clock: a.clock})
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, c := range answer.Controls {
		addresses = append(addresses, c.Address)
	}
	if err := a.nodes.learn(addresses); err != nil {
		return nil, err
	}
	if err := replaceFile(a.file(gossipFile), assign.Gossip{ClusterID: answer.ClusterID, Incarnation: answer.Incarnation, Key: answer.GossipKey}); err != nil {
		return nil, err
	}
	// The certificate comes last: until it is there the host joins again.
	return creds, creds.Save(a.file(tlsDir))
}

// admission asks for a node's certificate until it has it or is refused.
func admission(ctx context.Context, dir, text string, r joining.Request) (*pki.Credentials, joining.Answer, error) {
	token, err := pki.ParseToken(strings.TrimSpace(text))
	if err != nil {
		return nil, joining.Answer{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, joining.Answer{}, errs.E("main.join", errs.Internal, "the folder for certificates cannot be made", err)
	}
	if r.Key, err = pki.PendingKey(dir); err != nil {
		return nil, joining.Answer{}, err
	}
	began := r.Clock.Mono()
	for {
		creds, answer, err := joining.Join(ctx, token, r)
		if err == nil || !errs.KindOf(err).Retryable() || r.Clock.Mono()-began > time.Minute {
			return creds, answer, err
		}
		if serr := clock.Sleep(ctx, r.Clock, joinPause); serr != nil {
			return nil, joining.Answer{}, err
		}
	}
}

// writeOnce writes a secret file that an earlier try may have left.
func writeOnce(file, content string) error {
	err := seal.WriteSecret(file, content+"\n")
	if !errs.Is(err, errs.Conflict) {
		return err
	}
	had, err := os.ReadFile(file)
	if err == nil && strings.TrimSpace(string(had)) != content {
		return errs.Errorf("main.join", errs.Conflict, "%s is of another cluster: remove the data folder and join again", file)
	}
	return err
}
