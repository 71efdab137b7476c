package raftnode

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/clock"
)

// TestOnlyWhatIsWrongIsAWarning: a node that lost its leader warns, and one that
// lost its log; not one that has had neither yet.
func TestOnlyWhatIsWrongIsAWarning(t *testing.T) {
	election, previous, rejected := "heartbeat timeout reached, starting election", "failed to get previous log", "appendEntries rejected, sending older logs"
	for _, row := range []struct {
		msg  string
		args []any
		want string
	}{
		{election, []any{"last-leader-addr", raft.ServerAddress(""), "last-leader-id", raft.ServerID("")}, "INFO"},
		{election, []any{"last-leader-addr", raft.ServerAddress("n2"), "last-leader-id", raft.ServerID("n2")}, "WARN"},
		{election, nil, "WARN"},
		{"failed to contact quorum of nodes, stepping down", nil, "WARN"},
		{previous, []any{"previous-index", uint64(9), "last-index", uint64(0), "error", raft.ErrLogNotFound}, "INFO"},
		{previous, []any{"previous-index", uint64(9), "last-index", uint64(7), "error", raft.ErrLogNotFound}, "WARN"},
		{rejected, []any{"peer", raft.Server{ID: "n2", Suffrage: raft.Nonvoter}, "next", uint64(1)}, "INFO"},
		{rejected, []any{"peer", raft.Server{ID: "n2", Suffrage: raft.Nonvoter}, "next", uint64(7)}, "WARN"},
		{rejected, []any{"peer", raft.Server{ID: "n2", Suffrage: raft.Voter}, "next", uint64(1)}, "WARN"},
	} {
		var buf syncBuffer
		newRaftLogger(slog.New(slog.NewTextHandler(&buf, nil)), clock.Real{}).Warn(row.msg, row.args...)
		if text := buf.String(); !strings.Contains(text, "level="+row.want+` msg="raft: `+row.msg) {
			t.Errorf("%s %v: %q", row.msg, row.args, text)
		}
	}
}

// TestRepetitionsAreCounted: what raft says again of the same node is told once
// in a while, with how often it was said; what is new, or about no node, at
// once.
func TestRepetitionsAreCounted(t *testing.T) {
	var buf syncBuffer
	fake := clock.NewFake(time.Unix(100, 0))
	log := newRaftLogger(slog.New(slog.NewTextHandler(&buf, nil)), fake)
	lines := func() []string {
		text := buf.String()
		buf.buf.Reset()
		return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	}
	refused := errors.New("dial 127.0.0.1:8770: connection refused")
	for i := range 100 {
		log.Error("failed to heartbeat to", "peer", raft.ServerAddress("n2"), "backoff time", time.Duration(i), "error", refused)
		log.Error("failed to heartbeat to", "peer", raft.ServerAddress("n3"), "backoff time", time.Duration(i), "error", refused)
		log.Error("failed to appendEntries to", "peer", raft.Server{ID: "n2"}, "error", fmt.Errorf("read 127.0.0.1:%d: reset", i))
		log.Warn("Election timeout reached, restarting election")
		fake.Advance(hushTime / 100)
	}
	if got := lines(); len(got) != 4 || !strings.Contains(got[0], "n2") || !strings.Contains(got[1], "n3") || strings.Contains(buf.String(), "repeated") {
		t.Errorf("at first:\n%s", strings.Join(got, "\n"))
	}
	log.Error("failed to heartbeat to", "peer", raft.ServerAddress("n2"), "error", refused)
	log.Error("failed to heartbeat to", "peer", raft.ServerAddress("n2"), "error", refused)
	log.Error("failed to heartbeat to", "peer", raft.ServerAddress("n2"), "error", errors.New("another cluster's certificate"))
	if got := lines(); len(got) != 2 || !strings.HasSuffix(got[0], "repeated=99") || !strings.Contains(got[1], "another cluster") || strings.Contains(got[1], "repeated") {
		t.Errorf("later:\n%s", strings.Join(got, "\n"))
	}
	for range 3 {
		log.Error("failed to commit logs", "error", errors.New("the disk is full"))
	}
	if got := lines(); len(got) != 3 {
		t.Errorf("about this node itself:\n%s", strings.Join(got, "\n"))
	}
	for i := range 3 * maxHushed {
		log.Error("failed to heartbeat to", "peer", raft.ServerAddress(fmt.Sprint("stranger-", i)), "error", refused)
	}
	if got := lines(); len(got) != 3*maxHushed {
		t.Errorf("of %d nodes, %d lines", 3*maxHushed, len(got))
	}
}
