package cluster

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

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

// readLog reads the log in the data folder of a control node that does not run.
func readLog(dir string) (list []LogEntry, err error) {
	var bad error
	err = raftnode.ScanLog(dir, func(e raftnode.Entry) bool {
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

// sameLog compares the logs of all nodes: where two of them have an index, they
// have the same there. It gives the longest. settled is the index at which all
// nodes were when everything had settled; 0 if they never were. What is later
// may never have been committed and counts for nothing. A log that ends earlier
// belongs to a node that has got the rest in a snapshot: it is what that node
// had before, and may hold what was never committed, too.
func sameLog(logs map[string][]LogEntry, settled uint64) (longest []LogEntry, found []Finding) {
	f := findings{checker: "logs agree"}
	type seen struct {
		node string
		LogEntry
	}
	at := map[uint64]seen{}
	last := lastOf(logs, settled)
	for _, node := range slices.Sorted(maps.Keys(logs)) {
		log := upTo(logs[node], last)
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
			} else if other.Term != e.Term || other.Kind != e.Kind || other.Request != e.Request || !bytes.Equal(other.Body, e.Body) {
				f.add(nil, "index %d is %s of term %d on %s, and %s of term %d on %s", e.Index, other.Kind, other.Term, other.node, e.Kind, e.Term, node)
			}
		}
	}
	return longest, f.list
}

// lastOf is the last index that any of the logs has, up to settled if that is
// known.
func lastOf(logs map[string][]LogEntry, settled uint64) (last uint64) {
	for _, log := range logs {
		if settled > 0 {
			log = upTo(log, settled)
		}
		if n := len(log); n > 0 {
			last = max(last, log[n-1].Index)
		}
	}
	return last
}

// upTo gives the part of a log up to an index.
func upTo(log []LogEntry, index uint64) []LogEntry {
	n, _ := slices.BinarySearchFunc(log, index+1, func(e LogEntry, index uint64) int { return cmp.Compare(e.Index, index) })
	return log[:n]
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
