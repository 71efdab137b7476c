package gossip

import (
	"bytes"

	"github.com/hashicorp/go-msgpack/v2/codec"
)

// The kinds of Serf's messages that others may send us, by their first byte.
const (
	leaveIntent = 0
	joinIntent  = 1
	pushPull    = 2
)

// intent is Serf's word that a node comes or goes.
type intent struct {
	LTime uint64
	Node  string
	// Prune asks to forget the node, alive or not.
	Prune bool
}

// exchange is Serf's part of an exchange of lists. Events, which it has too,
// are left out: what is decoded and encoded again has lost them.
type exchange struct {
	LTime        uint64
	StatusLTimes map[string]uint64
	LeftMembers  []string
}

func decode(b []byte, v any) error {
	return codec.NewDecoder(bytes.NewReader(b), &codec.MsgpackHandle{}).Decode(v)
}

func encode(kind byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer([]byte{kind})
	err := codec.NewEncoder(buf, &codec.MsgpackHandle{}).Encode(v)
	return buf.Bytes(), err
}

// tagBytes is what the tags take on the wire, as Serf will encode them.
func (c *Config) tagBytes() int {
	b, err := encode(0, c.tags())
	if err != nil {
		return 1 << 20 // never: strings can be encoded
	}
	return len(b)
}
