package raftnode

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// ledger is the state machine of the tests: it keeps every entry, and refuses
// to go on if entries do not come as promised.
type ledger struct {
	mu       sync.Mutex
	rows     []row
	restores int
}

type row struct {
	Index, Term uint64
	At          int64
	Data        string
}

// poison is the one entry that the ledger can't apply.
const poison = "poison"

func (l *ledger) ApplyBatch(entries []Entry) ([]any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []any
	for _, e := range entries {
		if string(e.Data) == poison {
			return nil, errors.New("unknown kind")
		}
		if n := len(l.rows); n > 0 {
			if last := l.rows[n-1]; e.Index <= last.Index || e.Term < last.Term || e.At <= last.At {
				return nil, fmt.Errorf("entry %+v after %+v", e, last)
			}
		}
		l.rows = append(l.rows, row{e.Index, e.Term, e.At, string(e.Data)})
		out = append(out, "did "+string(e.Data))
	}
	return out, nil
}

func (l *ledger) Snapshot() (io.WriterTo, error) { return rows(l.all()), nil }

func (l *ledger) Restore(r io.Reader) error {
	var rows []row
	if err := json.NewDecoder(r).Decode(&rows); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = rows
	l.restores++
	return nil
}

func (l *ledger) all() []row {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.rows)
}

// count tells how often data was applied.
func (l *ledger) count(data string) int {
	n := 0
	for _, r := range l.all() {
		if r.Data == data {
			n++
		}
	}
	return n
}

func (l *ledger) restored() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.restores
}

type rows []row

func (r rows) WriteTo(w io.Writer) (int64, error) {
	b, err := json.Marshal([]row(r))
	if err != nil {
		return 0, err
	}
	n, err := w.Write(b)
	return int64(n), err
}
