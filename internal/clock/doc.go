// Package clock is where the program gets its time from.
//
// Invariant: nothing outside this package calls time.Now, time.After,
// time.NewTimer, time.NewTicker, time.Since or time.Sleep; so a test, the
// simulator or a fault-injecting build can own time.
package clock
