package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/leader"
)

// checkLease refuses a lease that a healthy host would lose, and one that is
// longer than agents take.
func checkLease(life time.Duration) error {
	if life < time.Second || life > time.Hour {
		return errs.Errorf("control.open", errs.Invalid, "control.host_lease is %s: it must be from 1s to 1h", life)
	}
	return nil
}

// newRegister makes this node's side of the hosts' leases.
func (n *controlNode) newRegister() *leader.Register {
	return leader.NewRegister(leader.RegisterConfig{NodeID: n.id, Lease: n.conf.Control.HostLease.D(), View: n.machine.View,
		Term: n.raft.Term, Electorate: n.electorate, Clock: n.clock, Log: n.log.With("part", "lease")})
}

// electorate are the control nodes as raft knows them.
func (n *controlNode) electorate() assign.Electorate {
	all, index := n.raft.Electorate()
	out := assign.Electorate{Index: index}
	for _, m := range all {
		out.Nodes = append(out.Nodes, assign.Node{ID: m.ID, Address: m.Address, Voter: m.Voter})
	}
	slices.SortFunc(out.Nodes, func(a, b assign.Node) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// poll puts a leader's question to a voter.
func (n *controlNode) poll(ctx context.Context, voter assign.Node, q leader.PollRequest) (leader.PollAnswer, error) {
	if voter.ID == n.id {
		return n.register.Poll(q)
	}
	var a leader.PollAnswer
	return a, n.peers.Poll(ctx, voter.Address, q, &a)
}

// answerPoll answers a leader's question that came over the wire.
func (n *controlNode) answerPoll(question []byte) (any, error) {
	var q leader.PollRequest
	if err := json.Unmarshal(question, &q); err != nil {
		return nil, errs.E("control.poll", errs.Invalid, "The question is not understood.", err)
	}
	return n.register.Poll(q)
}

// leaseSamples are the numbers of this node's side of the hosts' leases.
func (n *controlNode) leaseSamples() []operator.Sample {
	const name, help = "lease_requests", "Hosts' requests for their lease, by what became of them."
	c := n.register.Counts()
	var out []operator.Sample
	for _, s := range []struct {
		result string
		count  uint64
	}{{"granted", c.Granted}, {"down", c.Held}, {"taken", c.Taken}, {"young", c.Young}, {"old", c.Old}} {
		out = append(out, operator.Sample{Name: name, Help: help, Value: float64(s.count), Labels: []string{"result", s.result}, Total: true})
	}
	o, alarm := leader.LookForOutage(n.machine.View(), n.clock.Now().UnixNano()), 0.0
	if o.Alarm() {
		alarm = 1
	}
	return append(out,
		operator.Sample{Name: "lease_hosts", Help: "Hosts that this node remembers as a voter.", Value: float64(c.Hosts)},
		operator.Sample{Name: "lease_cloned_hosts", Help: "Alarms: hosts that two machines say to be.", Value: float64(len(n.register.Clones()))},
		operator.Sample{Name: "hosts_outage", Help: "Alarm: 1 if many hosts went down at once.", Value: alarm})
}
