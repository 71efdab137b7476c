package main

import (
	"net/netip"
	"time"

	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/gossip"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// samples are the numbers of a node's part in gossip.
func (g *gossiper) samples() (out []operator.Sample) {
	if g == nil {
		return nil
	}
	for _, k := range g.keepers {
		out = append(out, poolSamples(k, g.clock.Now())...)
	}
	return out
}

func poolSamples(k *gossip.Keeper, now time.Time) (out []operator.Sample) {
	s, open := k.Stats()
	add := func(total bool, name, help string, value float64, labels ...string) {
		out = append(out, operator.Sample{Name: "gossip_" + name, Help: help, Value: value, Labels: append([]string{"pool", k.Name()}, labels...), Total: total})
	}
	is := map[bool]float64{true: 1}
	add(false, "open", "1 while the node is in the pool.", is[open])
	for _, row := range []struct {
		status gossip.Status
		n      int
	}{{gossip.Alive, s.Alive}, {gossip.Failed, s.Failed}, {gossip.Left, s.Left}} {
		add(false, "members", "Nodes in the pool, this one included, by what is believed of them here.", float64(row.n), "status", row.status.String())
	}
	active := map[gossip.AlarmKind]float64{}
	for _, a := range k.Alarms() {
		if a.Active(now) {
			active[a.Kind]++
		}
	}
	for _, row := range []struct {
		kind gossip.AlarmKind
		n    uint64
	}{{gossip.NameConflict, s.Conflicts}, {gossip.OtherKey, s.OtherKeys}} {
		add(false, "alarms", "Alarms of the last hour: names that two nodes claim, and whether somebody gossips under another key.", active[row.kind], "kind", string(row.kind))
		add(true, "alarms_total", "How often what makes an alarm was seen.", float64(row.n), "kind", string(row.kind))
	}
	add(false, "health", "0 if this node keeps the protocol's pace, up to 7 the less it does.", float64(s.Health))
	add(true, "rejected_total", "Packets and streams at the gossip port that could not be of the pool.", float64(s.Rejected))
	add(true, "ignored_total", "What members sent that they may not, or that spoke of nodes not known here.", float64(s.Ignored))
	return out
}

// gossipSamples add how many of those that gossip shows the state does not know,
// and how many hosts it knows that gossip does not show.
func (n *controlNode) gossipSamples() []operator.Sample {
	if n.gossip == nil {
		return nil
	}
	out := n.gossip.samples()
	v := n.machine.View()
	alive, unknown := map[string]bool{}, 0.0
	for _, m := range n.gossip.agents.Members() {
		if m.Status != gossip.Alive {
			continue
		}
		alive[m.Name] = true
		if !knows(v, m) {
			unknown++
		}
	}
	unseen := 0.0
	for h := range v.Hosts() {
		if !alive[string(h.ID)] {
			unseen++
		}
	}
	return append(out,
		operator.Sample{Name: "gossip_unknown_members", Help: "Nodes alive in the agents' pool that the state does not know.", Value: unknown},
		operator.Sample{Name: "gossip_unseen_hosts", Help: "Hosts that the state knows and gossip does not show alive.", Value: unseen})
}

// gossipMembers lists what gossip finds, with the names that the state has.
func (n *controlNode) gossipMembers() (out []operator.GossipMember, err error) {
	if n.gossip == nil {
		return nil, errDoesNotGossip
	}
	v := n.machine.View()
	for _, k := range n.gossip.keepers {
		for _, m := range k.Members() {
			out = append(out, operator.GossipMember{Pool: k.Name(), ID: m.Name, Name: nameOf(v, m.Name), Known: knows(v, m), Role: string(m.Role),
				RPC: m.RPC, Version: m.Version, Address: m.Address.String(), Status: m.Status.String()})
		}
	}
	return out, nil
}

// alarms lists what is wrong with nodes' identities, as gossip and the leases
// show it.
func (n *controlNode) alarms() []operator.Alarm {
	out := []operator.Alarm{}
	v, now := n.machine.View(), n.clock.Now()
	row := func(kind, pool, id, holder, claimant string, count uint64, first, last time.Time) {
		out = append(out, operator.Alarm{Kind: kind, Pool: pool, ID: id, Name: nameOf(v, id), Holder: holder, Claimant: claimant, Count: count,
			First: first.UTC().Format(time.RFC3339), Last: last.UTC().Format(time.RFC3339), Active: gossip.Alarm{Last: last}.Active(now)})
	}
	if n.gossip != nil {
		for _, k := range n.gossip.keepers {
			for _, a := range k.Alarms() {
				row(string(a.Kind), k.Name(), a.Name, text(a.Holder), text(a.Claimant), a.Count, a.First, a.Last)
			}
		}
	}
	for _, c := range n.register.Clones() {
		row("clone", "", c.Host, c.Holder, c.Rival, uint64(c.Count), c.First, c.Last)
	}
	return out
}

var errDoesNotGossip = errs.Errorf("control.gossip", errs.Unavailable, "This control node does not gossip.")

// text is an address, or nothing.
func text(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// knows tells whether the state has such a node in the role that the member
// says.
func knows(v state.View, m gossip.Member) bool {
	if m.Role == gossip.Control {
		return v.ControlNode(model.NodeID(m.Name)) != nil
	}
	return v.Host(model.HostID(m.Name)) != nil
}

// nameOf is what the state calls a node; empty if it does not know it.
func nameOf(v state.View, id string) string {
	if c := v.ControlNode(model.NodeID(id)); c != nil {
		return c.Name
	}
	if h := v.Host(model.HostID(id)); h != nil {
		return h.Name
	}
	return ""
}

// gossipSamples are the numbers of the host's part in gossip, and of Serf's.
func (a *agent) gossipSamples() []operator.Sample {
	if a.gossip == nil {
		return nil
	}
	return append(a.gossip.samples(), librarySamples(a.stats)...)
}
