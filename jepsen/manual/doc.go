// Package manual does what a document says, as a reader would: it takes the
// machines and the commands out of the document's text, lays the machines out on
// a rack, and types the commands there, one after another.
//
// A section of a document tells of machines in the rows of a table, a name, an
// address and what is needed there, and of commands in lines of code that begin
// with a prompt, which names the machine, or several:
//
//	| `c1` | 192.0.2.11 | `python3-openstackclient` |
//
//	c1# kvorum operator raft list-peers
//
// Invariant: nothing is typed that does not stand in the document, and nothing
// of what stands there is left out: there is no second copy that could be right
// where the document is wrong. A line that is not understood is an error.
//
// It must not know what a document is about; whether it keeps what it promises
// is for the tests to say.
package manual
