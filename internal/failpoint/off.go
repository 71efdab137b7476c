//go:build !faults

package failpoint

import "context"

// Hit passes a place: in this build, without any effect.
func Hit(context.Context, Name) error { return nil }

// HitAfter passes the place after a host agent's step: without any effect, too.
func HitAfter(context.Context, string) error { return nil }
