package state

import "iter"

// tableOf is a table as everything but the table itself sees it. It is an
// interface for the compiler's sake: a package that knows of a struct with
// *table[T] in it compiles all methods of the table and of its trees anew for
// each kind of row, which took every importer of this package 17 seconds and
// 59 MB.
type tableOf[T any] interface {
	anyTable

	get(pivot T) *T
	len() int
	all() iter.Seq[*T]
	from(pivot *T, same func(*T) bool) iter.Seq[*T]
	where(i int, pivot *T) iter.Seq[*T]
	first(i int, pivot T) *T
	ordered(i int) iter.Seq[*T]
	backwards(i int) iter.Seq[*T]
	put(row *T) (was *T)
	delete(pivot *T) *T
}
