package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/api/identity"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/seal"
)

// The files of a control node's data folder that hold secrets.
const (
	dataKeyFile       = "data.key"
	adminPasswordFile = "admin-password"
)

// nodeIDFile holds a control node's UUID, and tlsDir a node's key and
// certificates.
const (
	nodeIDFile = "node-id"
	tlsDir     = "tls"
)

// secret reads a secret file, or makes one of the given content.
func secret(file string, fresh func() (string, error)) (string, error) {
	b, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", errs.E("main.secret", errs.Internal, "a secret file cannot be read", err)
	}
	text, err := fresh()
	if err != nil {
		return "", err
	}
	return text, seal.WriteSecret(file, text+"\n")
}

// random makes 20 random bytes in hex.
func random() (string, error) {
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		return "", errs.E("main.random", errs.Internal, "", err)
	}
	return hex.EncodeToString(b), nil
}

// firstStart initializes the state of a new cluster: the default domain, the
// admin project and user, the roles, the token key and the flavors. It runs on
// the leader and does nothing when that is done already.
func firstStart(ctx context.Context, n *controlNode, log *slog.Logger) error {
	if n.machine.View().Cluster() == nil {
		if err := initialize(ctx, n, log); err != nil {
			return err
		}
	}
	return n.forgetFounding()
}

// initialize puts the first command in the log, however long that takes.
func initialize(ctx context.Context, n *controlNode, log *slog.Logger) error {
	c, err := initCommand(n)
	if err != nil {
		return err
	}
	for {
		_, err = n.cluster.Propose(ctx, command.Envelope{ID: "init-" + c.ClusterID, By: command.By{System: command.Bootstrap}, Command: c})
		if err == nil || errs.Is(err, errs.Conflict) || !errs.KindOf(err).Retryable() {
			break
		}
		log.Warn("the cluster is not initialized yet", "error", err)
		if err := clock.Sleep(ctx, n.clock, time.Second); err != nil {
			return err
		}
	}
	if err != nil && !errs.Is(err, errs.Conflict) {
		return err
	}
	log.Info("cluster initialized", "cluster", c.ClusterID, "region", c.Region)
	return nil
}

func initCommand(n *controlNode) (*command.ClusterInit, error) {
	f, err := n.founded()
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, errs.Errorf("main.init", errs.Invalid, "The cluster in %s has no state, and %s is gone: remove the folder and begin anew.", n.conf.DataDir, foundingFile)
	}
	c := &command.ClusterInit{
		ClusterID: n.raft.ClusterID(), Region: n.conf.Control.Region, DomainID: "default", DomainName: "Default",
		ProjectID: model.ProjectID(hexID()), Project: "admin", UserID: model.UserID(hexID()), User: "admin",
		Flavors: firstFlavors,
	}
	if err := n.initSecrets(c, f); err != nil {
		return nil, err
	}
	if err := n.initNode(c); err != nil {
		return nil, err
	}
	admin, member, reader := model.RoleID(hexID()), model.RoleID(hexID()), model.RoleID(hexID())
	c.Roles = []command.InitRole{
		{ID: reader, Name: "reader"},
		{ID: member, Name: "member", Implies: []model.RoleID{reader}},
		{ID: admin, Name: "admin", Implies: []model.RoleID{member}},
		{ID: model.RoleID(hexID()), Name: "service"},
	}
	return c, nil
}

// initSecrets fills in the first user's password, the token key and the
// authority.
func (n *controlNode) initSecrets(c *command.ClusterInit, f *founding) error {
	password := n.conf.Control.AdminPassword
	var err error
	if password == "" {
		if password, err = secret(n.file(adminPasswordFile), random); err != nil {
			return err
		}
	}
	if c.PasswordHash, err = n.passwords.Hash(password); err != nil {
		return err
	}
	key := make([]byte, identity.FernetKeyBytes)
	if _, err := rand.Read(key); err != nil {
		return errs.E("main.init", errs.Internal, "", err)
	}
	if c.TokenKey, err = n.box.Seal(identity.SealedTokenKey, key); err != nil {
		return err
	}
	c.CACert, c.CAKey, c.GossipKey = f.Authority, f.Key, f.GossipKey
	return nil
}

// initNode fills in this node as the first of the cluster.
func (n *controlNode) initNode(c *command.ClusterInit) error {
	cert := n.endpoint.Credentials.Certificate()
	key, err := pki.KeyFingerprint(cert.PublicKey)
	if err != nil {
		return err
	}
	from, until := n.endpoint.Credentials.Period()
	c.NodeID, c.NodeName, c.NodeAddress, c.NodeURL, c.NodeVersion = model.NodeID(n.id), n.conf.Node, n.advertised(), n.conf.Public.URL, version
	c.Serial, c.KeyHash, c.NotBefore, c.NotAfter = pki.SerialOf(cert), key.String(), from.UnixNano(), until.UnixNano()
	return nil
}

func hexID() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

// firstFlavors are those that clouds have always had, and three small ones for
// trying things out.
var firstFlavors = []command.InitFlavor{
	{ID: "1", Name: "m1.tiny", VCPUs: 1, RAM: 512, Disk: 1},
	{ID: "2", Name: "m1.small", VCPUs: 1, RAM: 2048, Disk: 20},
	{ID: "3", Name: "m1.medium", VCPUs: 2, RAM: 4096, Disk: 40},
	{ID: "4", Name: "m1.large", VCPUs: 4, RAM: 8192, Disk: 80},
	{ID: "5", Name: "m1.xlarge", VCPUs: 8, RAM: 16384, Disk: 160},
	{ID: "42", Name: "m1.nano", VCPUs: 1, RAM: 96, Disk: 0},
	{ID: "84", Name: "m1.micro", VCPUs: 1, RAM: 192, Disk: 1},
	{ID: "90", Name: "m1.mini", VCPUs: 2, RAM: 256, Disk: 1},
}
