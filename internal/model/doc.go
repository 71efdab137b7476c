// Package model holds the nouns of the cloud: the records of the replicated
// state, one noun a file.
//
// Invariant: a record is immutable once it is in a table. Readers get the
// record itself; who wants to change one calls Clone first. Each record's
// comment names the commands that write it.
//
// Times are Unix nanoseconds of the leader's monotone clock (0 = never), sizes
// carry their unit in the comment. Every field omits its zero value when
// encoded, so that a field added later does not change the hash of old rows.
//
// It must not know tables, commands, APIs or drivers; it imports the standard
// library only.
package model
