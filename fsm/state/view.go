package state

import (
	"iter"

	"github.com/kvorum/kvorum/internal/model"
)

// View is the state at one index. It is a value: copy it freely. Lookups give
// nil for what is not there; lists are ordered by the rows' keys. Rows must
// not be changed.
type View struct {
	Stamp
	t   *tables
	sum Sum
	// results is how many are remembered; they themselves are not in a view.
	results int
}

// Hash is the state's hash: equal on every node at equal index. It is known
// for published views only.
func (v View) Hash() Sum { return v.sum }

// Cluster names the cluster; nil before it is initialized.
func (v View) Cluster() *model.Cluster { return v.t.cluster.get(model.Cluster{}) }

// PutCluster stores the cluster's row.
func (tx *Tx) PutCluster(c *model.Cluster) { tx.t.cluster.put(c) }

// Counter names one of the cluster's integer id counters.
type Counter func(*model.Cluster) *uint64

// Next takes the next number of a counter, from 1.
func (tx *Tx) Next(counter Counter) uint64 { return tx.Take(counter, 1) }

// Take takes n consecutive numbers and gives the first.
func (tx *Tx) Take(counter Counter, n int) uint64 {
	c := tx.Cluster().Clone()
	last := counter(c)
	first := *last + 1
	*last += uint64(n)
	tx.PutCluster(c)
	return first
}

// ResultCount is how many requests' results are remembered.
func (v View) ResultCount() int { return v.results }

// Result finds what a request was answered.
func (tx *Tx) Result(id string) *model.Result { return tx.t.results.get(id) }

// ResultCount is how many are remembered.
func (tx *Tx) ResultCount() int { return tx.t.results.count() }

// ResultsByUntil lists remembered results, the first to be forgotten first.
func (tx *Tx) ResultsByUntil() iter.Seq[*model.Result] { return tx.t.results.ordered() }

// PutResult remembers a result.
func (tx *Tx) PutResult(r *model.Result) { tx.t.results.put(r) }

// DeleteResult forgets a result.
func (tx *Tx) DeleteResult(id string) { tx.t.results.delete(id) }
