package main

import (
	"context"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// verbs are the operators' commands.
func (n *controlNode) verbs() *operator.Verbs {
	return &operator.Verbs{Cluster: n.cluster, Members: n.members, Removable: n.raft.Removable, HandOver: n.raft.HandOver,
		Gossip: n.gossipMembers, Alarms: n.alarms, Clock: n.clock, Log: n.log.With("part", "operator"), NewID: uuid.NewString}
}

// members lists the control nodes that take part in the log, with the names
// that the state has for them.
func (n *controlNode) members() (out []operator.Member, err error) {
	all, err := n.raft.Members()
	if err != nil {
		return nil, err
	}
	v := n.machine.View()
	leader, _ := n.raft.Leader()
	for _, m := range all {
		row := operator.Member{ID: m.ID, Address: m.Address, Voter: m.Voter, Leader: m.ID == leader}
		if c := v.ControlNode(model.NodeID(m.ID)); c != nil {
			row.Name = c.Name
		}
		out = append(out, row)
	}
	return out, nil
}

// untilRemoved returns when ctx ends (nil), or when the state shows that this
// node was a control node and is none any more: then it says so.
func (n *controlNode) untilRemoved(ctx context.Context) error {
	seen := false
	for ctx.Err() == nil {
		changed := n.machine.Feed().Wait()
		there := n.machine.View().ControlNode(model.NodeID(n.id)) != nil
		if seen && !there {
			return errs.Errorf("control.removed", errs.Conflict, "This control node was removed from the cluster. To let it join again, remove %s and start it with a new token.", n.conf.DataDir)
		}
		seen = seen || there
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil
}
