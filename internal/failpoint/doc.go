// Package failpoint names places in the program at which the fault harness can
// make something go wrong: a death, a wait, an error, a message that is lost.
//
// Invariant: only a build with the tag 'faults' has them. In any other build
// Hit is empty, nothing listens, and not even the names are in the binary
// (a test looks).
//
// It must not know what the places are for: what an error there means is the
// business of the code that passes it.
//
//	if err := failpoint.Hit(ctx, failpoint.LogAppendBefore); err != nil {
//		return err
//	}
package failpoint
