package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// devElection is the election timeout of a node that is surely alone.
const devElection = 50 * time.Millisecond

func devCommand() *cobra.Command {
	var dir, listen, internal, agentListen, observe string
	c := &cobra.Command{Use: "dev", Short: "Run a whole cloud in this process, with a simulated host", Args: cobra.NoArgs,
		Long: "Run a whole cloud in this process: a control node and a simulated host. It needs no root and no hypervisor.\n" +
			"Everything is kept in one folder; delete it to begin anew."}
	c.Flags().StringVar(&dir, "dir", "kvorum-dev", "folder of the cloud")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8774", "address of the API")
	c.Flags().StringVar(&internal, "internal", "127.0.0.1:0", "address for the host agent")
	c.Flags().StringVar(&agentListen, "agent", "127.0.0.1:8772", "address of the host agent")
	c.Flags().StringVar(&observe, "observe", "", "address of the host agent's health and metrics; none if empty")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		conf := config.Default()
		conf.Node, conf.Log.Level = "dev", "warn"
		conf.Public.Listen, conf.Control.Listen, conf.Agent.Listen, conf.Agent.Observe = listen, internal, agentListen, observe
		conf.Control.Bootstrap = true
		conf.Agent.Driver = "sim"
		// There is nobody else to find.
		conf.Control.Gossip.Listen, conf.Agent.Gossip.Listen = noGossip, noGossip
		var err error
		if conf.DataDir, err = filepath.Abs(dir); err != nil {
			return errs.E("dev", errs.Invalid, "", err)
		}
		log, err := logger(conf.Log)
		if err != nil {
			return err
		}
		return runDev(cmd.Context(), conf, log, cmd.OutOrStdout().Write)
	}
	return c
}

// runDev runs a control node and a simulated host until ctx ends.
func runDev(ctx context.Context, conf config.Config, log *slog.Logger, say func([]byte) (int, error)) error {
	// Where the first start found a free port, later ones take the same: it is in
	// the state.
	kept := filepath.Join(conf.DataDir, "internal-address")
	if b, err := os.ReadFile(kept); err == nil && strings.HasSuffix(conf.Control.Listen, ":0") {
		conf.Control.Listen = strings.TrimSpace(string(b))
	}
	n, err := openControl(ctx, conf, log, raftTimes{election: devElection})
	if err != nil {
		return err
	}
	if err := os.WriteFile(kept, []byte(n.tcp.Addr().String()+"\n"), 0o600); err != nil {
		return errors.Join(errs.E("dev", errs.Internal, "", err), n.close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- errors.Join(n.run(ctx), n.close()) }()
	err = n.devCloud(ctx, say)
	cancel()
	if err != nil && errs.Is(err, errDevEnded) {
		return <-done
	}
	return errors.Join(err, <-done)
}

// errDevEnded says that the control node ended first and has its own error.
const errDevEnded = errs.Gone

// devCloud waits for the control node, fills it at its first start, and runs
// the simulated host.
func (n *controlNode) devCloud(ctx context.Context, say func([]byte) (int, error)) error {
	for ready := n.operatorDoor().Ready; ready() != "" || n.bound.Load() == nil; {
		if err := clock.Sleep(ctx, n.clock, time.Millisecond); err != nil {
			return nil
		}
		if n.ended.Load() {
			return errs.Errorf("dev", errDevEnded, "")
		}
	}
	bound := n.bound.Load()
	err := n.devSeed(ctx)
	if err != nil {
		return err
	}
	ac := n.conf
	ac.DataDir = filepath.Join(n.conf.DataDir, "host")
	ac.Node = "dev-host"
	// The control node's port may be another one at each start.
	ac.Agent.Control = []string{n.port.Addr().String()}
	if ac.Agent.Join, err = n.devToken(ctx, ac.Node); err != nil {
		return err
	}
	a, err := openAgent(ctx, ac, n.log)
	if err != nil {
		return err
	}
	text, err := n.writeClouds("http://" + bound.public.String())
	if err == nil {
		_, err = say([]byte(text))
	}
	if err != nil {
		return errors.Join(err, a.close())
	}
	return errors.Join(a.run(ctx), a.close())
}

// devToken makes a token with which the simulated host joins, at its first
// start.
func (n *controlNode) devToken(ctx context.Context, name string) (string, error) {
	t, err := n.verbs().NewToken(ctx, operator.TokenRequest{Role: model.NodeAgent, Name: name, TTL: "1m", At: []string{n.port.Addr().String()}})
	return t.Token, err
}

// writeClouds writes the clients' configuration into the cloud's own folder
// and gives the lines to show.
func (n *controlNode) writeClouds(url string) (string, error) {
	password, err := secret(filepath.Join(n.conf.DataDir, adminPasswordFile), random)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf(`clouds:
  kvorum-dev:
    auth:
      auth_url: %s/identity/v3
      username: admin
      password: %s
      project_name: admin
      user_domain_id: default
      project_domain_id: default
    region_name: %s
    identity_api_version: 3
`, url, password, n.conf.Control.Region)
	file := filepath.Join(n.conf.DataDir, "clouds.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", errs.E("dev.clouds", errs.Internal, "clouds.yaml cannot be written", err)
	}
	return fmt.Sprintf("Kvorum is up at %s. In another terminal:\n\n  export OS_CLIENT_CONFIG_FILE=%s\n  export OS_CLOUD=kvorum-dev\n\n"+
		"then, for example:\n\n  openstack server create --image guest --flavor m1.tiny --network private --wait first\n  openstack server list\n\nCtrl-C ends it.\n", url, file), nil
}

// devSeed gives a new cloud an image and a network, so that the first command
// can be to make a server.
func (n *controlNode) devSeed(ctx context.Context) error {
	v := n.machine.View()
	p := v.ProjectNamed("default", "admin")
	for range v.ImagesOf(p.ID) {
		return nil
	}
	blob, err := n.images.Put(ctx, bytes.NewReader(make([]byte, 1<<16)), 1<<20)
	if err != nil {
		return err
	}
	id, net := model.ImageID(uuid.NewString()), model.NetworkID(uuid.NewString())
	u := v.UserNamed("default", "admin")
	by := command.By{UserID: u.ID, UserEpoch: u.Epoch, ProjectID: p.ID, ProjectEpoch: p.Epoch, Admin: true}
	for _, c := range []command.Command{
		&command.ImageCreate{ID: id, ProjectID: p.ID, Name: "guest", Visibility: "public", DiskFormat: "raw", ContainerFormat: "bare"},
		&command.ImageUpload{ID: id, SHA256: blob.SHA256, SHA512: blob.SHA512, MD5: blob.MD5, Size: blob.Size, VirtualSize: blob.Size},
		&command.NetworkCreate{ID: net, ProjectID: p.ID, Name: "private"},
		&command.SubnetCreate{ID: model.SubnetID(uuid.NewString()), NetworkID: net, ProjectID: p.ID, Name: "private", CIDR: "10.0.0.0/24", Gateway: "10.0.0.1"},
	} {
		if _, err := n.cluster.Propose(ctx, command.Envelope{ID: uuid.NewString(), By: by, Command: c}); err != nil {
			return err
		}
	}
	return nil
}
