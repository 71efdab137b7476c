package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// scriptedNode answers as a control node would on its socket, one answer after
// another, the last one for ever. It tells how often it was called.
func scriptedNode(t *testing.T, answers ...string) (socket string, calls func() int) {
	t.Helper()
	dir := t.TempDir()
	socket = filepath.Join(dir, operatorSocket)
	if err := errors.Join(os.Mkdir(filepath.Dir(socket), 0o700), os.WriteFile(filepath.Join(dir, nodeIDFile), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	count := make(chan int, 1)
	count <- 0
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := <-count
		count <- n + 1
		status, body, _ := strings.Cut(answers[min(n, len(answers)-1)], " ")
		if status != "200" {
			w.WriteHeader(http.StatusServiceUnavailable)
			body = fmt.Sprintf(`{"error":{"kind":%q,"message":%q}}`, status, body)
		}
		fmt.Fprint(w, body)
	}))
	srv.Listener.Close()
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	return socket, func() int {
		n := <-count
		count <- n
		return n
	}
}

func TestOperatorsCommandWaitsForTheCluster(t *testing.T) {
	for _, c := range []struct {
		what    string
		answers []string
		calls   int
		want    string
	}{
		{"done", []string{`200 {"Token":"x"}`}, 1, ""},
		{"a cluster that is not there yet", []string{"unavailable Not yet.", "unavailable Not yet.", `200 {"Token":"x"}`}, 3, ""},
		{"refused", []string{"conflict It is there."}, 1, "It is there."},
		{"refused after a wait", []string{"unavailable Not yet.", "invalid So not."}, 2, "So not."},
		{"an outcome that nobody knows", []string{"unknown Who knows."}, 1, "Who knows."},
	} {
		socket, calls := scriptedNode(t, c.answers...)
		var out struct{ Token string }
		err := operate(t.Context(), socket, http.MethodPost, "/v1/x", nil, &out)
		if c.want == "" && (err != nil || out.Token != "x") || c.want != "" && (err == nil || sentence(err) != c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
		if n := calls(); n != c.calls {
			t.Errorf("%s: %d calls, want %d", c.what, n, c.calls)
		}
	}
}

func TestOperatorsCommandGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	socket, calls := scriptedNode(t, "unavailable Not yet.")
	go func() {
		for calls() < 2 {
		}
		cancel()
	}()
	var out struct{}
	if err := operate(ctx, socket, http.MethodGet, "/v1/x", nil, &out); err == nil {
		t.Error("an endless refusal ends well")
	}
	// Where there is no control node there is nothing to wait for.
	if err := operate(t.Context(), filepath.Join(t.TempDir(), operatorSocket), http.MethodGet, "/v1/x", nil, &out); !errs.Is(err, errs.Unavailable) || !strings.Contains(sentence(err), "No control node answers") {
		t.Errorf("without a node: %v", err)
	}
}

// A node that is being started has no socket yet.
func TestOperatorsCommandWaitsForTheSocket(t *testing.T) {
	socket, calls := scriptedNode(t, `200 {"Token":"x"}`)
	if err := os.Rename(socket, socket+"-later"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	var out struct{ Token string }
	go func() { done <- operate(t.Context(), socket, http.MethodGet, "/v1/x", nil, &out) }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(2 * operatorPause):
	}
	if err := os.Rename(socket+"-later", socket); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || out.Token != "x" || calls() != 1 {
		t.Errorf("%v after %d calls", err, calls())
	}
}
