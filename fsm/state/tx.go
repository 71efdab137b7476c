package state

// Tx is the one open transaction: a View that sees its own writes, and the
// writes. A row that was read must be cloned before it is changed and put.
type Tx struct {
	View
	store *Store
}

// Commit keeps what the transaction did and counts the entry as applied.
func (tx *Tx) Commit() {
	s := tx.store
	var seq uint32
	emit := func(c Change) {
		c.Index, c.Seq = tx.Index, seq
		s.feed.add(c)
		seq++
	}
	for _, t := range s.live.list {
		t.changes(emit)
		t.commit()
	}
	tx.end()
}

// Rollback drops what the transaction did and counts the entry as applied: a
// refused command takes its place in the log all the same.
func (tx *Tx) Rollback() {
	tx.Undo()
	tx.end()
}

// Undo drops what the transaction did so far and leaves it open, so that the
// refusal itself can be remembered.
func (tx *Tx) Undo() {
	for _, t := range tx.store.live.list {
		t.rollback()
	}
}

func (tx *Tx) end() {
	s := tx.store
	s.at = tx.Stamp
	s.past.note(tx.Index, s.live.total())
	tx.store = nil
	s.mu.Unlock()
}
