package state

import (
	"cmp"

	"github.com/kvorum/kvorum/internal/model"
)

// The indexes of the members' tables.
const (
	nodesByName   = 0
	tokensByEnd   = 0
	tokensByOpen  = 1
	certsByNode   = 0
	certsByKey    = 1
	certsByEnding = 2
)

// memberTables are the tables of who belongs to the cluster, and may join it.
type memberTables struct {
	authority    tableOf[model.Authority]
	controlNodes tableOf[model.ControlNode]
	joinTokens   tableOf[model.JoinToken]
	certificates tableOf[model.Certificate]
}

func newMemberTables() (t memberTables) {
	t.authority = newTable(schema[model.Authority]{name: "authority",
		key:   func(a, b *model.Authority) int { return 0 },
		ident: func(a *model.Authority) (string, string) { return "", "" }})
	t.controlNodes = newTable(schema[model.ControlNode]{name: "control_nodes",
		key:     func(a, b *model.ControlNode) int { return cmp.Compare(a.ID, b.ID) },
		ident:   func(n *model.ControlNode) (string, string) { return string(n.ID), "" },
		indexes: []index[model.ControlNode]{{cmp: func(a, b *model.ControlNode) int { return cmp.Compare(a.Name, b.Name) }}}})
	t.joinTokens = newTable(schema[model.JoinToken]{name: "join_tokens",
		key:   func(a, b *model.JoinToken) int { return cmp.Compare(a.ID, b.ID) },
		ident: func(x *model.JoinToken) (string, string) { return string(x.ID), "" },
		indexes: []index[model.JoinToken]{
			{cmp: func(a, b *model.JoinToken) int { return cmp.Compare(a.ExpiresAt, b.ExpiresAt) }},
			{has: func(x *model.JoinToken) bool { return x.UsedAt == 0 },
				cmp: func(a, b *model.JoinToken) int { return cmp.Compare(a.ExpiresAt, b.ExpiresAt) }},
		}})
	t.certificates = newTable(schema[model.Certificate]{name: "certificates",
		key:   func(a, b *model.Certificate) int { return cmp.Compare(a.Serial, b.Serial) },
		ident: func(c *model.Certificate) (string, string) { return c.Serial, "" },
		indexes: []index[model.Certificate]{
			{cmp: func(a, b *model.Certificate) int { return cmp.Compare(a.NodeID, b.NodeID) }},
			{cmp: func(a, b *model.Certificate) int { return cmp.Compare(a.KeyHash, b.KeyHash) }},
			{cmp: func(a, b *model.Certificate) int { return cmp.Compare(a.NotAfter, b.NotAfter) }},
		}})
	return t
}

func (t memberTables) share(prev memberTables) memberTables {
	return memberTables{authority: shared(t.authority, prev.authority), controlNodes: shared(t.controlNodes, prev.controlNodes),
		joinTokens: shared(t.joinTokens, prev.joinTokens), certificates: shared(t.certificates, prev.certificates)}
}
