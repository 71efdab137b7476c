// Package rest is the one shell that every HTTP front door shares: it is the
// only place that blocks and the only one that knows HTTP.
//
// Invariant: a request is authenticated, bounded, routed, authorized and
// counted here and nowhere else; a handler gets a Call with a View at least as
// new as the request's arrival, and gives an Answer or an error. What it
// changes, it changes by Call.Do: one command.
//
// A front door is a table of Routes and a Dialect, which says how that API
// words its faults and versions. A handler reads as three steps, of which only
// the middle one decides anything, and that one is a pure function:
//
//	in, err := parseX(c.Body)                 // what is asked
//	cmd, err := decideX(c.View, c.Caller, in) // what that means
//	ids, err := c.Do(cmd)                     // make it so
//	return rest.JSON(202, renderX(c.View, ids)), nil
//
// Who sends or takes bytes slowly costs a goroutine, never a slot: a request is
// counted in Slots only while something is decided, and every wait for its
// client ends (see Shell.Timeout).
//
// It must not know any API's JSON.
package rest
