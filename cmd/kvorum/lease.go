package main

import (
	"context"
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
	return leader.NewRegister(leader.RegisterConfig{NodeID: n.conf.Node, Lease: n.conf.Control.HostLease.D(), View: n.machine.View,
		Term: n.raft.CurrentTerm, Electorate: n.electorate, Clock: n.clock, Log: n.log.With("part", "lease")})
}

// electorate is this node alone. Its address is where its hosts reach it.
func (n *controlNode) electorate() assign.Electorate {
	return assign.Electorate{Index: 1, Nodes: []assign.Node{{ID: n.conf.Node, Voter: true}}}
}

// poll puts a leader's question to a voter, which is this node itself.
func (n *controlNode) poll(_ context.Context, _ assign.Node, q leader.PollRequest) (leader.PollAnswer, error) {
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
