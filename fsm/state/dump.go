package state

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/kvorum/kvorum/internal/canon"
	"github.com/kvorum/kvorum/internal/errs"
)

// SnapshotVersion is the version of the snapshot's form.
const SnapshotVersion = 1

// maxRow bounds one row's line in a snapshot, in bytes.
const maxRow = 4 << 20

// header is a snapshot's first line.
type header struct {
	Version int `json:"version"`
	Stamp
	Rows int    `json:"rows"`
	Hash string `json:"hash"`
}

// line is each further line of a snapshot.
type line struct {
	Table string          `json:"t"`
	Row   json.RawMessage `json:"r"`
}

func (t *table[T]) dump(yield func([]byte) error) error {
	var b []byte
	for row := range t.all() {
		b = canon.Append(b[:0], row)
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

func (t *table[T]) load(b []byte) error {
	row := new(T)
	if err := canon.Decode(b, row); err != nil {
		return err
	}
	if was := t.put(row); was != nil {
		return fmt.Errorf("the key stands twice")
	}
	t.commit()
	return nil
}

// Snapshot is a view with all that there is: what a node needs to begin from.
type Snapshot struct{ View }

// WriteTo writes a header line, then a line per row.
func (v Snapshot) WriteTo(w io.Writer) (int64, error) {
	out := &counter{w: bufio.NewWriterSize(w, 1<<16)}
	enc := json.NewEncoder(out)
	h := header{Version: SnapshotVersion, Stamp: v.Stamp, Hash: v.t.total().String()}
	for _, t := range v.t.list {
		h.Rows += t.count()
	}
	if err := enc.Encode(h); err != nil {
		return out.n, err
	}
	for _, t := range v.t.list {
		err := t.dump(func(row []byte) error { return enc.Encode(line{t.label(), row}) })
		if err != nil {
			return out.n, err
		}
	}
	return out.n, out.w.Flush()
}

type counter struct {
	w *bufio.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// Restore replaces everything by a snapshot: all of it, or, when the snapshot
// is damaged or of an unknown form, nothing.
func (s *Store) Restore(r io.Reader) error {
	fresh, h, err := read(r)
	if err != nil {
		return errs.E("state.restore", errs.Internal, "the snapshot cannot be used", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live, s.at = fresh, h.Stamp
	s.past = newHistory()
	s.past.note(h.Index, fresh.total())
	s.feed.reset(h.Index)
	s.renew()
	s.feed.publish(h.Index)
	return nil
}

func read(r io.Reader) (*tables, header, error) {
	var h header
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 1<<16), maxRow)
	if !in.Scan() {
		return nil, h, fmt.Errorf("no header: %w", in.Err())
	}
	if err := json.Unmarshal(in.Bytes(), &h); err != nil {
		return nil, h, fmt.Errorf("header: %w", err)
	}
	if h.Version != SnapshotVersion {
		return nil, h, fmt.Errorf("version %d is not known", h.Version)
	}
	fresh := newTables()
	byName := map[string]anyTable{}
	for _, t := range fresh.list {
		byName[t.label()] = t
	}
	rows := 0
	for ; in.Scan(); rows++ {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return nil, h, fmt.Errorf("row %d: %w", rows, err)
		}
		t := byName[l.Table]
		if t == nil {
			return nil, h, fmt.Errorf("row %d: table %q is not known", rows, l.Table)
		}
		if err := t.load(l.Row); err != nil {
			return nil, h, fmt.Errorf("row %d of %s: %w", rows, l.Table, err)
		}
	}
	if err := in.Err(); err != nil {
		return nil, h, err
	}
	if rows != h.Rows || fresh.total().String() != h.Hash {
		return nil, h, fmt.Errorf("%d rows with hash %s, where the header says %d and %s", rows, fresh.total(), h.Rows, h.Hash)
	}
	return fresh, h, nil
}
