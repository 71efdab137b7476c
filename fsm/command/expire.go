package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// Expire removes what its time is over for: revocations of tokens that have
// expired by themselves, and confirmed tombstones, with their servers' actions,
// TombstoneKeep after the delete. It is the leader's duty.
//
// Rules: the actor is the leader. At most MaxExpired rows go at once; a
// tombstone goes after its last action.
type Expire struct{}

// Kind implements Command.
func (*Expire) Kind() string { return "expire/1" }

// TombstoneKeep is how long a deleted server's last record is kept once its
// host has confirmed that it is gone, in nanoseconds: 7 days.
const TombstoneKeep = int64(7 * 24 * 3600 * 1_000_000_000)

// MaxExpired is how many rows one Expire removes at most.
const MaxExpired = 256

// Apply implements Command.
func (*Expire) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if err := onlySystem("expire", m.By, Leader); err != nil {
		return nil, err
	}
	left := expireRevocations(tx, m.At, MaxExpired)
	expireTombstones(tx, m.At, left)
	return nil, nil
}

// expireRevocations removes up to budget rows and gives what is left of it.
func expireRevocations(tx *state.Tx, at int64, budget int) int {
	var old []string
	for r := range tx.RevocationsByExpiry() {
		if r.ExpiresAt >= at || len(old) == budget {
			break
		}
		old = append(old, r.AuditID)
	}
	for _, id := range old {
		tx.DeleteRevocation(id)
	}
	return budget - len(old)
}

func expireTombstones(tx *state.Tx, at int64, budget int) {
	var old []model.ServerID
	for t := range tx.Tombstones() {
		if len(old) == budget {
			break
		}
		if t.Confirmed && t.DeletedAt+TombstoneKeep < at {
			old = append(old, t.Server.ID)
		}
	}
	for _, id := range old {
		actions := collect(tx.ServerActions(id))
		for _, a := range actions[:min(len(actions), budget)] {
			tx.DeleteServerAction(id, a.Index)
			budget--
		}
		if budget == 0 {
			return
		}
		tx.DeleteTombstone(id)
		budget--
	}
}

func exampleExpire() *Expire { return &Expire{} }

func workExpire(g Gen) (Command, By, bool) {
	return &Expire{}, By{System: Leader, Term: g.View().Term}, true
}
