package raftnode

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
)

// askTime is how long voters have to show that they are there.
const askTime = 5 * time.Second

// Removable tells why a member cannot leave the cluster now: Conflict if it
// leads, if it is this node, or if too few of the other voters answer this node
// to be a majority without it; Unavailable if there is no leader. Nodes that do
// not vote, or that raft does not know, can always leave.
func (n *Node) Removable(ctx context.Context, id string) error {
	have, err := n.Members()
	if err != nil {
		return err
	}
	leader, _ := n.Leader()
	return removable(id, n.cfg.NodeID, leader, have, n.answering(ctx, have))
}

// removable is the decision of Removable: answers has the voters that are there.
func removable(id, self, leader string, have []Member, answers map[string]bool) error {
	const op = "raftnode.removable"
	switch {
	case leader == "":
		return errs.Errorf(op, errs.Unavailable, "There is no leader now, which alone can remove a node: try again.")
	case id == leader:
		return errs.Errorf(op, errs.Conflict, "It leads: hand the lead over first, by `kvorum operator raft transfer-leader` on it.")
	case id == self:
		return errs.Errorf(op, errs.Conflict, "It is this node itself: remove it on another control node.")
	}
	votes, left, there := false, 0, 0
	for _, m := range have {
		switch {
		case m.ID == id:
			votes = m.Voter
		case m.Voter:
			left++
			if answers[m.ID] {
				there++
			}
		}
	}
	if votes && there < left/2+1 {
		return errs.Errorf(op, errs.Conflict, "Of the other %d control nodes that vote %d answer, and without it %d must: nothing could be decided any more.", left, there, left/2+1)
	}
	return nil
}

// answering asks every voter whether it is there.
func (n *Node) answering(ctx context.Context, have []Member) map[string]bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-n.cfg.Clock.After(askTime):
			cancel()
		case <-ctx.Done():
		}
	}()
	heard, asked := make(chan string, len(have)), 0
	answers := map[string]bool{n.cfg.NodeID: true}
	for _, m := range have {
		if !m.Voter || m.ID == n.cfg.NodeID {
			continue
		}
		asked++
		go func() {
			if _, err := n.cfg.Peers.AppliedIndex(ctx, m.Address); err != nil {
				heard <- ""
				return
			}
			heard <- m.ID
		}()
	}
	for range asked {
		answers[<-heard] = true
	}
	return answers
}

// HandOver gives the lead to another voter, the one named or, by an empty id,
// the one that is furthest. It gives Conflict if this node does not lead or
// there is no such voter, and Unavailable if the lead stays here.
func (n *Node) HandOver(id string) error {
	const op = "raftnode.handOver"
	if n.raft.State() != raft.Leader {
		return errs.Errorf(op, errs.Conflict, "This control node does not lead: `kvorum operator raft list-peers` says which one does.")
	}
	all, err := n.Members()
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(all, func(m Member) bool { return !m.Voter || m.ID == n.cfg.NodeID || id != "" && m.ID != id })
	switch {
	case len(others) == 0 && id != "":
		return errs.Errorf(op, errs.Conflict, "Only another control node that votes can lead.")
	case len(others) == 0:
		return errs.Errorf(op, errs.Conflict, "There is no other control node that votes.")
	case id == "":
		return n.TransferLeadership()
	}
	if err := n.raft.LeadershipTransferToServer(raft.ServerID(id), raft.ServerAddress(others[0].Address)).Error(); err != nil {
		return errs.E(op, errs.Unavailable, "The lead could not be handed over: is that node up, and has it the log?", err)
	}
	return nil
}
