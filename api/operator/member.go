package operator

import (
	"context"
	"net/http"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Member is one control node as raft knows it.
type Member struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Address string `json:"address"`
	Voter   bool   `json:"voter"`
	Leader  bool   `json:"leader"`
}

func (d *Verbs) members(context.Context, *http.Request) (any, error) {
	all, err := d.Members()
	return map[string]any{"members": all}, err
}

// named finds a control node by its name, or by its id.
func named(v state.View, name string) (*model.ControlNode, error) {
	if n := v.ControlNodeNamed(name); n != nil {
		return n, nil
	}
	if n := v.ControlNode(model.NodeID(name)); n != nil {
		return n, nil
	}
	return nil, errs.Errorf("operator.member", errs.NotFound, "There is no control node %.64q.", name)
}

// removeMember removes a control node for good, unless the others could not go
// on without it: its certificates are taken back, and the leader takes it out
// of the log's members.
func (d *Verbs) removeMember(ctx context.Context, r *http.Request) (any, error) {
	v, err := d.Cluster.Read(ctx)
	if err != nil {
		return nil, err
	}
	n, err := named(v, r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	if err := d.Removable(ctx, string(n.ID)); err != nil {
		return nil, err
	}
	d.Log.Info("operator removes a control node", "name", n.Name, "node", n.ID)
	return map[string]string{"id": string(n.ID), "name": n.Name}, d.propose(ctx, &command.NodeRemove{ID: n.ID})
}

// LeaderRequest asks this node to hand the lead over.
type LeaderRequest struct {
	// To is the control node that shall lead, by its name; any if it is empty.
	To string `json:"to"`
}

func (d *Verbs) handOver(ctx context.Context, r *http.Request) (any, error) {
	var in LeaderRequest
	if err := body(r, &in, "to"); err != nil {
		return nil, err
	}
	id := ""
	if in.To != "" {
		v, err := d.Cluster.Read(ctx)
		if err != nil {
			return nil, err
		}
		n, err := named(v, in.To)
		if err != nil {
			return nil, err
		}
		id = string(n.ID)
	}
	return struct{}{}, d.HandOver(id)
}
