package raftnode

import (
	"slices"
	"testing"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"os"
	"path/filepath"
)

// TestScanLog: proposals only, in order, from the last gap on.
func TestScanLog(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, raftDir), 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, raftDir, logFile), BoltOptions: BoltOptions()})
	if err != nil {
		t.Fatal(err)
	}
	entry := func(i uint64, kind raft.LogType) *raft.Log {
		return &raft.Log{Index: i, Term: 2, Type: kind, Data: encodeEntry(int64(i), []byte{byte(i)})}
	}
	if err := store.StoreLogs([]*raft.Log{entry(1, raft.LogCommand), entry(2, raft.LogCommand), // 3 is in a snapshot
		entry(4, raft.LogCommand), entry(5, raft.LogNoop), entry(6, raft.LogCommand), entry(7, raft.LogCommand)}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	var got []uint64
	if err := ScanLog(dir, func(e Entry) bool {
		if e.Data[0] != byte(e.Index) || e.At != int64(e.Index) || e.Term != 2 {
			t.Errorf("%+v", e)
		}
		got = append(got, e.Index)
		return e.Index < 6
	}); err != nil {
		t.Fatal(err)
	}
	if want := []uint64{4, 6}; !slices.Equal(got, want) {
		t.Errorf("indexes %v, want %v", got, want)
	}
	if err := ScanLog(t.TempDir(), func(Entry) bool { return true }); err == nil {
		t.Error("there was no log, and nobody complained")
	}
}
