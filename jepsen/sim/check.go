package sim

import "github.com/kvorum/kvorum/hostagent"

// checker holds one property over the whole run. It is told of everything, in
// order, and calls world.violated when the property does not hold.
type checker interface {
	// committed is told of each entry, after it was applied.
	committed(e entry)
	// observed is told of each change of what runs on a host.
	observed(h *host, was, now hostagent.Have)
	// sent and answered are told of each request of a user.
	sent(r *request)
	answered(r *request)
	// end is asked once all was healed and time has passed: it gives what is
	// still not right, or nothing.
	end() string
}

// nothing is the checker that every other one begins as.
type nothing struct{}

func (nothing) committed(entry)                                {}
func (nothing) observed(*host, hostagent.Have, hostagent.Have) {}
func (nothing) sent(*request)                                  {}
func (nothing) answered(*request)                              {}
func (nothing) end() string                                    { return "" }

// allCheckers are those that nobody else needs to name.
func allCheckers(w *world) []checker {
	return []checker{
		&countChecker{w: w}, &requestChecker{w: w, created: map[string]bool{}, asked: map[string]bool{}, deleting: map[string]bool{}, deleted: map[string]bool{}},
		&permitChecker{w: w}, &onceChecker{w: w}, &deletedChecker{w: w}, &addressChecker{w: w}, &capacityChecker{w: w},
	}
}
