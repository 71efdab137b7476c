package raftnode

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-metrics"

	"github.com/kvorum/kvorum/internal/errs"
)

const testCluster = "11111111-2222-3333-4444-555555555555"

// alone is a configuration of a node on a real disk, fast to elect.
func alone(dir string, sm StateMachine) Config {
	return Config{
		Dir: dir, NodeID: "n1", ClusterID: testCluster, Machine: sm,
		ElectionTimeout: 50 * time.Millisecond,
		Snapshots:       SnapshotConfig{Trailing: 1},
	}
}

func openAlone(t *testing.T, cfg Config) *Node {
	t.Helper()
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	eventually(t, "the lead", func() bool { return n.Role().State == Leader })
	return n
}

func bootstrapAlone(t *testing.T, dir string) {
	t.Helper()
	if err := Bootstrap(alone(dir, nil), []Server{{ID: "n1", Address: "n1"}}); err != nil {
		t.Fatal(err)
	}
}

func TestStateOutlivesRestart(t *testing.T) {
	dir := t.TempDir()
	bootstrapAlone(t, dir)
	sm := &ledger{}
	n := openAlone(t, alone(dir, sm))
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			data := fmt.Sprint("v", i)
			out := n.Propose(t.Context(), []byte(data))
			if out.Verdict != Done || out.Result != "did "+data || n.AppliedIndex() < out.Index {
				t.Errorf("%s: %+v", data, out)
			}
		})
	}
	wg.Wait()
	point, err := n.ReadBarrier(t.Context())
	if err != nil || point.Index != n.AppliedIndex() || point.Term == 0 {
		t.Errorf("read point %+v, %v", point, err)
	}
	stats := n.Stats()
	if stats.Voters != 1 || stats.Writes.Count == 0 || stats.Writes.Longest == 0 || stats.CommitIndex < stats.AppliedIndex {
		t.Errorf("stats: %+v", stats)
	}
	want := sm.all()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}

	// From the log alone, then from a snapshot and a log behind it.
	sm = &ledger{}
	n = openAlone(t, alone(dir, sm))
	if err := n.WaitApplied(t.Context(), want[31].Index); err != nil {
		t.Fatal(err)
	}
	if got := sm.all(); !reflect.DeepEqual(got, want) || sm.restored() != 0 {
		t.Errorf("replayed %v, want %v", got, want)
	}
	if err := n.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.Propose(t.Context(), []byte("after the snapshot"))
	want = sm.all()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	sm = &ledger{}
	n = openAlone(t, alone(dir, sm))
	if err := n.WaitApplied(t.Context(), want[32].Index); err != nil {
		t.Fatal(err)
	}
	if got := sm.all(); !reflect.DeepEqual(got, want) || sm.restored() != 1 {
		t.Errorf("restored %v, want %v", got, want)
	}
	if n.Stats().SnapshotIndex == 0 {
		t.Error("no snapshot in the stats")
	}
}

func TestBootstrapOnce(t *testing.T) {
	dir := t.TempDir()
	one := []Server{{ID: "n1", Address: "n1"}}
	if _, err := Open(alone(dir, &ledger{})); !errs.Is(err, errs.NotFound) {
		t.Errorf("open before bootstrap: %v", err)
	}
	if err := Bootstrap(alone(dir, nil), nil); !errs.Is(err, errs.Invalid) {
		t.Errorf("bootstrap without servers: %v", err)
	}
	// A bootstrap that died half way never ran: it is done again.
	if err := os.MkdirAll(filepath.Join(dir, unbornDir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, unbornDir, logFile), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	bootstrapAlone(t, dir)
	for i, again := range []error{Bootstrap(alone(dir, nil), one), Prepare(alone(dir, nil))} {
		if !errs.Is(again, errs.Conflict) {
			t.Errorf("again (%d): %v", i, again)
		}
	}
	if id, err := ClusterID(dir); id != testCluster || err != nil {
		t.Errorf("cluster %q, %v", id, err)
	}
	other := alone(dir, &ledger{})
	other.ClusterID = "another"
	if _, err := Open(other); !errs.Is(err, errs.Conflict) {
		t.Errorf("open as another cluster: %v", err)
	}
	if err := Prepare(Config{Dir: t.TempDir(), NodeID: "n2", ClusterID: testCluster}); err != nil {
		t.Errorf("prepare: %v", err)
	}
}

func TestPoisonStopsTheNode(t *testing.T) {
	dir := t.TempDir()
	bootstrapAlone(t, dir)
	n := openAlone(t, alone(dir, &ledger{}))
	n.Propose(t.Context(), []byte("fine"))
	if out := n.Propose(t.Context(), []byte(poison)); out.Verdict != Unknown {
		t.Errorf("poison: %+v", out)
	}
	if err := <-n.Fatal(); err == nil {
		t.Error("no reason given")
	}
	if _, err := n.ReadBarrier(t.Context()); err == nil {
		t.Error("a stopped state machine served a read")
	}
	if err := n.Snapshot(t.Context()); err == nil {
		t.Error("a stopped state machine gave a snapshot")
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if out := n.Propose(t.Context(), []byte("late")); out.Verdict != Refused {
		t.Errorf("after Close: %+v", out)
	}
}

func TestRaftSpeaksThroughOurLoggerAndMetrics(t *testing.T) {
	m, err := CollectMetrics()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bootstrapAlone(t, dir)
	var buf syncBuffer
	cfg := alone(dir, &ledger{})
	cfg.Log = slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelInfo}))
	n := openAlone(t, cfg)
	n.Propose(t.Context(), []byte("x"))
	if text := buf.String(); !strings.Contains(text, "raft: entering leader state") || strings.Contains(text, "%+v") ||
		strings.Contains(text, "level=DEBUG") || !strings.Contains(text, `level=INFO msg="raft: heartbeat timeout reached, starting election"`) {
		t.Errorf("log:\n%s", text)
	}
	for i := range 2 * maxSeries {
		m.SetGaugeWithLabels([]string{"flood"}, 1, []metrics.Label{{Name: "n", Value: fmt.Sprint(i)}})
	}
	all, dropped := m.All()
	if len(all) != maxSeries || dropped == 0 {
		t.Errorf("%d series, %d dropped", len(all), dropped)
	}
	found := false
	for _, s := range all {
		found = found || s.Name == "raft.apply" && s.Kind == Counter && s.Sum >= 1
	}
	if !found {
		t.Error("raft.apply was not counted")
	}
}

// syncBuffer is a buffer that raft's goroutines may share.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
