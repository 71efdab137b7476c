package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
)

// MaxBulk bounds how many things one request makes at once.
const MaxBulk = 250

// applyAll applies commands of one kind in one transaction. The caller undoes
// all of them when one is refused.
func applyAll[C Command](op string, all []C, tx *state.Tx, m Meta) (ids []string, err error) {
	if len(all) == 0 || len(all) > MaxBulk {
		return nil, refuse(op, errs.Invalid, "Making %d things at once is not offered: it is from 1 to %d.", len(all), MaxBulk)
	}
	for _, c := range all {
		made, err := c.Apply(tx, m)
		if err != nil {
			return nil, err
		}
		ids = append(ids, made...)
	}
	return ids, nil
}

// workAll makes up one to three commands of a kind by the same actor.
func workAll[C Command](g Gen, work Workload, into *[]C) (By, bool) {
	var who By
	for range 1 + g.Intn(3) {
		c, by, ok := work(g)
		one, fits := c.(C)
		if ok && fits && (len(*into) == 0 || by == who) {
			*into, who = append(*into, one), by
		}
	}
	return who, len(*into) > 0
}
