// Package state holds the replicated tables: what a control node knows.
//
// Invariant: a View never changes, and the live tables change only through a
// Tx that is either committed whole or leaves no trace.
//
// A table is declared once (key, indexes) and gets everything else from
// table[T]: lookup, lists, put, delete, undo, dump, load and hash. View reads,
// Tx writes; there is one Tx at a time, and only the state machine opens it.
//
//	tx := store.Begin(index, term, at)
//	tx.PutServer(s)
//	tx.Commit()            // or tx.Rollback()
//	store.Publish()        // now View() shows it
//
// It must not know raft, commands, HTTP or the clock.
package state
