package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// NodeRemove says that a control node has left for good: its certificates are
// taken back.
//
// Rules: the actor is the operator, an administrator or the leader; the node is
// there, and not the last one.
type NodeRemove struct {
	ID model.NodeID `json:"id"`
}

// Kind implements Command.
func (*NodeRemove) Kind() string { return "node.remove/1" }

// Apply implements Command.
func (c *NodeRemove) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "node.remove"
	if m.By.System != Leader {
		if err := onlyOperator(op, m.By); err != nil {
			return nil, err
		}
	}
	if tx.ControlNode(c.ID) == nil {
		return nil, refuse(op, errs.NotFound, "There is no control node %s.", c.ID)
	}
	if tx.ControlNodeCount() == 1 {
		return nil, refuse(op, errs.Conflict, "The last control node cannot be removed.")
	}
	tx.DeleteControlNode(c.ID)
	revokeCertificates(tx, c.ID)
	return []string{string(c.ID)}, nil
}

func exampleNodeRemove() *NodeRemove {
	return &NodeRemove{ID: "00000000-0000-4000-8000-0000000000a2"}
}

func workNodeRemove(g Gen) (Command, By, bool) {
	n, ok := pick(g, g.View().ControlNodes())
	if !ok {
		return nil, By{}, false
	}
	return &NodeRemove{ID: n.ID}, By{System: Operator}, true
}
