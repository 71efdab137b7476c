package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/kvorum/kvorum/jepsen/testbed"
	"github.com/kvorum/kvorum/raftnode"
)

// LogEntry is one entry of a node's log. It is read by eye, so to speak: two
// lines of JSON, with none of the product's types.
type LogEntry struct {
	Index, Term uint64
	// Kind says what the command is, Request which request asked for it.
	Kind, Request string
	// Body is the command.
	Body json.RawMessage
}

// readLog reads the log of a control node that does not run.
func readLog(h *testbed.Host) (list []LogEntry, err error) {
	var bad error
	err = raftnode.ScanLog(filepath.Join(h.DataDir(), "kvorum"), func(e raftnode.Entry) bool {
		head, body, _ := bytes.Cut(e.Data, []byte("\n"))
		var envelope struct{ Kind, ID string }
		if bad = json.Unmarshal(head, &envelope); bad != nil {
			return false
		}
		list = append(list, LogEntry{Index: e.Index, Term: e.Term, Kind: envelope.Kind, Request: envelope.ID, Body: bytes.Clone(body)})
		return true
	})
	if err == nil {
		err = bad
	}
	return list, err
}

// sameLog compares the logs of all nodes, after everything has settled: where
// two of them have an index, they have the same there. It gives the longest. A
// log that ends before others do belongs to a node that has got the rest in a
// snapshot: it is what that node had before, and may hold what was never
// committed.
func sameLog(logs map[string][]LogEntry) (longest []LogEntry, found []Finding) {
	f := findings{checker: "logs agree"}
	type seen struct {
		node string
		LogEntry
	}
	at := map[uint64]seen{}
	var last uint64
	for _, log := range logs {
		if len(log) > 0 {
			last = max(last, log[len(log)-1].Index)
		}
	}
	for node, log := range logs {
		if len(log) == 0 || log[len(log)-1].Index < last {
			continue
		}
		if len(log) > len(longest) {
			longest = log
		}
		for _, e := range log {
			other, ok := at[e.Index]
			if !ok {
				at[e.Index] = seen{node, e}
			} else if other.Term != e.Term || other.Request != e.Request || !bytes.Equal(other.Body, e.Body) {
				f.add(nil, "index %d is %s of term %d on %s, and %s of term %d on %s", e.Index, other.Kind, other.Term, other.node, e.Kind, e.Term, node)
			}
		}
	}
	return longest, f.list
}

// rename is a server.update entry that changed a name.
type rename struct {
	LogEntry
	server, name string
}

// renames gives every change of a name in a log, and an error for an entry that
// does not read as one. An entry of a request that stands in the log already
// changes nothing: a node offers a request again when it does not know what
// became of it.
func renames(log []LogEntry) (list []rename, err error) {
	seen := map[string]bool{}
	for _, e := range log {
		if e.Kind != "server.update/1" || seen[e.Request] {
			continue
		}
		seen[e.Request] = e.Request != ""
		var body struct {
			ID   string  `json:"id"`
			Name *string `json:"name"`
		}
		if err := json.Unmarshal(e.Body, &body); err != nil {
			return nil, fmt.Errorf("index %d: %w", e.Index, err)
		}
		if body.Name != nil {
			list = append(list, rename{e, body.ID, *body.Name})
		}
	}
	return list, nil
}
