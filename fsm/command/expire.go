package command

import (
	"iter"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// Expire removes what its time is over for: revocations of tokens that have
// expired by themselves; join tokens and certificates MemberKeep after their
// end; and confirmed tombstones, with their servers' actions, TombstoneKeep
// after the delete. It is the leader's duty.
//
// Rules: the actor is the leader. At most MaxExpired rows go at once; a
// certificate goes after its join token, a tombstone after its last action.
type Expire struct{}

// Kind implements Command.
func (*Expire) Kind() string { return "expire/1" }

const (
	// TombstoneKeep is how long a deleted server's last record is kept once its
	// host has confirmed that it is gone, in nanoseconds: 7 days.
	TombstoneKeep = int64(7 * 24 * 3600 * 1_000_000_000)
	// MemberKeep is how long a join token or a certificate that has ended is
	// kept, in nanoseconds: a day.
	MemberKeep = int64(24 * 3600 * 1_000_000_000)
	// MaxExpired is how many rows one Expire removes at most.
	MaxExpired = 256
)

// ExpireDue tells whether Expire at a time finds anything to remove: it looks
// at the oldest row of each kind.
func ExpireDue(v state.View, at int64) bool {
	for r := range v.RevocationsByExpiry() {
		if revocationOver(r, at) {
			return true
		}
		break
	}
	for t := range v.JoinTokensByExpiry() {
		if tokenOver(t, at) {
			return true
		}
		break
	}
	for c := range v.CertificatesByEnd() {
		if certificateOver(c, at) {
			return true
		}
		break
	}
	for t := range v.TombstonesByAge() {
		return tombstoneOver(t, at)
	}
	return false
}

func revocationOver(r *model.Revocation, at int64) bool   { return r.ExpiresAt < at }
func tokenOver(t *model.JoinToken, at int64) bool         { return t.ExpiresAt+MemberKeep < at }
func certificateOver(c *model.Certificate, at int64) bool { return c.NotAfter+MemberKeep < at }
func tombstoneOver(t *model.Tombstone, at int64) bool     { return t.DeletedAt+TombstoneKeep < at }

// Apply implements Command.
func (*Expire) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if err := onlySystem("expire", m.By, Leader); err != nil {
		return nil, err
	}
	left := MaxExpired
	for _, r := range over(tx.RevocationsByExpiry(), revocationOver, m.At, &left) {
		tx.DeleteRevocation(r.AuditID)
	}
	for _, t := range over(tx.JoinTokensByExpiry(), tokenOver, m.At, &left) {
		tx.DeleteJoinToken(t.ID)
	}
	for _, c := range over(tx.CertificatesByEnd(), certificateOver, m.At, &left) {
		tx.DeleteCertificate(c.Serial)
	}
	expireTombstones(tx, m.At, left)
	return nil, nil
}

// over takes from the beginning of a list what its time is over for, within
// the budget.
func over[T any](oldest iter.Seq[T], isOver func(T, int64) bool, at int64, budget *int) (out []T) {
	for x := range oldest {
		if *budget == 0 || !isOver(x, at) {
			break
		}
		out = append(out, x)
		*budget--
	}
	return out
}

func expireTombstones(tx *state.Tx, at int64, budget int) {
	rows := budget
	for _, t := range over(tx.TombstonesByAge(), tombstoneOver, at, &rows) {
		id := t.Server.ID
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
