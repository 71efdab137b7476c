package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
)

var update = flag.Bool("update", false, "record testdata anew")

// goldenEntry is one line of the golden log: an entry, its outcome and the
// state's hash after it.
type goldenEntry struct {
	state.Stamp
	// Data is the encoded entry: two lines of JSON.
	Data    string   `json:"data"`
	IDs     []string `json:"ids,omitempty"`
	Refused string   `json:"refused,omitempty"`
	Hash    string   `json:"hash"`
}

var goldenPath = filepath.Join("testdata", "golden_log.jsonl")

// TestGoldenLog replays a recorded log: a program that gives another outcome or
// another state for old entries cannot join an old cluster.
func TestGoldenLog(t *testing.T) {
	if *update {
		record(t)
	}
	b, err := os.ReadFile(goldenPath)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: state.NewStore(64)}
	accepted := map[string]bool{}
	in := bufio.NewScanner(bytes.NewReader(b))
	in.Buffer(nil, 2*MaxBytes)
	for in.Scan() {
		var want goldenEntry
		if err := json.Unmarshal(in.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		ids, err := r.entry(want.Stamp, []byte(want.Data))
		if !slices.Equal(ids, want.IDs) || outcome(err) != want.Refused {
			t.Fatalf("entry %d %s\ngave %v, %q\nwant %v, %q", want.Index, want.Data, ids, outcome(err), want.IDs, want.Refused)
		}
		if got := r.View().Hash().String(); got != want.Hash {
			t.Fatalf("entry %d %s\nleft the state at %s, want %s", want.Index, want.Data, got, want.Hash)
		}
		if err == nil {
			e, _ := Decode([]byte(want.Data))
			accepted[e.Kind] = true
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range Kinds() {
		if !accepted[kind] {
			t.Errorf("no entry of the golden log has %s accepted: record it anew with -update", kind)
		}
	}
}

// outcome is a refusal as it is recorded: the kind and the sentence.
func outcome(err error) string {
	if err == nil {
		return ""
	}
	return errs.KindOf(err).String() + ": " + errs.Message(err)
}

// record makes up a log by the workloads, until every kind was accepted twice
// or the log is long enough.
func record(t *testing.T) {
	r := newRig(t, 1)
	fresh := &rig{t: t, store: state.NewStore(64)}
	var out bytes.Buffer
	put := func(stamp state.Stamp, by By, c Command) error {
		b, err := Encode(Envelope{ID: "req-" + r.Hex()[:8], By: by, Command: c})
		if err != nil {
			t.Fatal(err)
		}
		ids, err := fresh.entry(stamp, b)
		line, _ := json.Marshal(goldenEntry{Stamp: stamp, Data: string(b), IDs: ids, Refused: outcome(err), Hash: fresh.View().Hash().String()})
		out.Write(append(line, '\n'))
		return err
	}
	put(state.Stamp{Index: 1, Term: 1, At: 1e9}, By{System: Bootstrap}, exampleClusterInit())
	r.store = fresh.store
	done := map[string]int{"cluster.init/1": 2}
	for kinds := drawn(); missing(done) && fresh.stamp.Index < 2000; {
		kind := kinds[r.Intn(len(kinds))]
		c, by, ok := Work(kind, r)
		if !ok {
			continue
		}
		stamp := fresh.stamp
		stamp.Index, stamp.At = stamp.Index+1, stamp.At+int64(r.Intn(3)/2*r.Intn(7200))*1e9
		if put(stamp, by, c) == nil {
			done[kind]++
		}
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenPath, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func missing(done map[string]int) bool {
	for _, kind := range Kinds() {
		if done[kind] < 2 {
			return true
		}
	}
	return false
}
