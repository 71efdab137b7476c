// Package canon writes and reads the program's records: the commands in the
// log and the rows of the tables. The form is JSON, exactly as encoding/json
// writes it: fields in declared order, map keys sorted, what the tags omit
// left out. So people can read it, and equal records have equal bytes, which
// the state's hash needs.
//
// Invariant: Append gives the bytes that json.Marshal gives, and Decode
// accepts exactly what a json.Decoder that refuses unknown fields accepts as
// one whole document, with the same result. Only the time differs: a plan is
// made once for each type, and what Append wrote is read in one pass.
//
// It must not know what a record means.
//
//	b = canon.Append(b[:0], &row)
//	err := canon.Decode(b, &row)
package canon
