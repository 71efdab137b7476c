package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// beginAction records what a user began to do to a server. A server keeps the
// newest state.MaxActions, so that no client can fill the state by one server.
func beginAction(tx *state.Tx, m Meta, id model.ServerID, p model.ProjectID, action string) {
	tx.PutServerAction(&model.ServerAction{ServerID: id, RequestID: m.RequestID, Action: action,
		UserID: m.By.UserID, ProjectID: p, StartedAt: m.At, Index: m.Index})
	all := collect(tx.ServerActions(id))
	for _, a := range all[:max(0, len(all)-state.MaxActions)] {
		tx.DeleteServerAction(id, a.Index)
	}
}

// endActions closes the actions of a server that are still open.
func endActions(tx *state.Tx, m Meta, id model.ServerID, failed bool) {
	for _, a := range collect(tx.ServerActions(id)) {
		if a.FinishedAt == 0 {
			b := a.Clone()
			b.FinishedAt, b.Failed = m.At, failed
			tx.PutServerAction(b)
		}
	}
}
