package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/internal/clock"
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

// operatorPatience is how long a command is tried again while the control node
// does not answer, or says that it cannot be done yet: one that is being started
// has no socket, then no leader, and a new cluster no state. A person would type
// it again, and so would a script.
const (
	operatorPatience = 10 * time.Second
	operatorPause    = 200 * time.Millisecond
)

// operate has the control node that runs on this machine do something.
func operate(ctx context.Context, socket, method, path string, in, out any) error {
	const op = "operator"
	body, err := json.Marshal(in)
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	c := clock.Real{}
	for began := c.Mono(); ; {
		answer, err := callNode(ctx, socket, method, path, body)
		if err == nil {
			if err := json.Unmarshal(answer, out); err != nil {
				return errs.E(op, errs.Internal, "The control node's answer is not understood.", err)
			}
			return nil
		}
		if !errs.Is(err, errs.Unavailable) || !hasNode(socket) || c.Mono()-began > operatorPatience {
			return err
		}
		if serr := clock.Sleep(ctx, c, operatorPause); serr != nil {
			return err
		}
	}
}

// hasNode tells whether the data folder of the socket is a control node's: in
// another one it is in vain to wait.
func hasNode(socket string) bool {
	_, err := os.Stat(filepath.Join(strings.TrimSuffix(socket, operatorSocket), nodeIDFile))
	return err == nil
}

// refusal is the error that an answer is.
func refusal(status int, answer []byte) error {
	const op = "operator"
	var fault struct {
		Error struct{ Kind, Message string }
	}
	if err := json.Unmarshal(answer, &fault); err != nil || fault.Error.Message == "" {
		return errs.Errorf(op, errs.Internal, "The control node answered %d %s.", status, http.StatusText(status))
	}
	kind, _ := errs.KindNamed(fault.Error.Kind)
	return errs.Errorf(op, kind, "%s", fault.Error.Message)
}

// callNode makes one call to the control node that runs on this machine.
func callNode(ctx context.Context, socket, method, path string, body []byte) (answer []byte, err error) {
	const op = "operator"
	req, err := http.NewRequestWithContext(ctx, method, "http://operator"+path, bytes.NewReader(body))
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, errs.Errorf(op, errs.Unavailable, "No control node answers at %s (%v): run this on a control node, as its owner, with its --data_dir.", socket, err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxOperatorAnswer))
	if err != nil {
		return nil, errs.E(op, errs.Unknown, "The control node's answer broke off.", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp.StatusCode, answer)
	}
	return answer, nil
}
