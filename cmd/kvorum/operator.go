package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/internal/errs"
)

// operatorSocket is in a control node's data folder; who may open that may do
// everything.
const operatorSocket = "operator/socket"

// maxOperatorAnswer bounds what is read of an answer, in bytes: two full gossip
// pools take less.
const maxOperatorAnswer = 8 << 20

// operatorCommand is for those who run the cloud, on a control node itself.
func operatorCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{Use: "operator", Short: "Operate the cluster, on one of its control nodes"}
	c.PersistentFlags().StringVar(&dir, "data_dir", config.Default().DataDir, "the control node's data folder")
	at := func() string { return filepath.Join(dir, operatorSocket) }
	c.AddCommand(tokenCommand(at), raftCommand(at), gossipCommand(at), whyCommand(at))
	return c
}

// operate makes one call to the control node that runs on this machine.
func operate(ctx context.Context, socket, method, path string, in, out any) error {
	const op = "operator"
	body, err := json.Marshal(in)
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://operator"+path, bytes.NewReader(body))
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	resp, err := client.Do(req)
	if err != nil {
		return errs.Errorf(op, errs.Unavailable, "No control node answers at %s (%v): run this on a control node, as its owner, with its --data_dir.", socket, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxOperatorAnswer))
	if err != nil {
		return errs.E(op, errs.Unknown, "The control node's answer broke off.", err)
	}
	if resp.StatusCode != http.StatusOK {
		var fault struct {
			Error struct{ Kind, Message string }
		}
		if err := json.Unmarshal(b, &fault); err != nil || fault.Error.Message == "" {
			return errs.Errorf(op, errs.Internal, "The control node answered %s.", resp.Status)
		}
		kind, _ := errs.KindNamed(fault.Error.Kind)
		return errs.Errorf(op, kind, "%s", fault.Error.Message)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return errs.E(op, errs.Internal, "The control node's answer is not understood.", err)
	}
	return nil
}
