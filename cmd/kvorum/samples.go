package main

import (
	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/raftnode"
)

// samples are the control node's own numbers.
func (n *controlNode) samples() []operator.Sample {
	v := n.machine.View()
	waiting, up, down := 0, 0, 0
	for range v.ServersWaiting() {
		waiting++
	}
	for h := range v.Hosts() {
		if h.Down || h.ForcedDown {
			down++
		} else {
			up++
		}
	}
	used, _ := n.images.Usage()
	s := n.raft.Stats()
	gauge := func(name, help string, value float64, labels ...string) operator.Sample {
		return operator.Sample{Name: name, Help: help, Value: value, Labels: labels}
	}
	return append(n.leaseSamples(),
		gauge("fsm_index", "Index of the state that reads on this node see.", float64(v.Index)),
		gauge("fsm_servers", "Servers in the state.", float64(v.ServerCount())),
		gauge("fsm_results", "Remembered answers to requests.", float64(v.ResultCount())),
		gauge("scheduler_waiting_servers", "Servers that wait for a host.", float64(waiting)),
		gauge("hosts", "Hosts by the leader's and the administrator's verdict.", float64(up), "state", "up"),
		gauge("hosts", "Hosts by the leader's and the administrator's verdict.", float64(down), "state", "down"),
		gauge("images_missing", "Images whose bytes this node lacks.", float64(n.replicas.Stats().Missing)),
		gauge("images_bytes", "Bytes of images on this node.", float64(used)),
		gauge("raft_term", "Term that this node is in.", float64(s.Role.Term)),
		gauge("raft_commit_index", "Last committed index that this node knows of.", float64(s.CommitIndex)),
		gauge("raft_applied_index", "Last index that this node has applied.", float64(s.AppliedIndex)),
		gauge("raft_proposals_in_flight", "Proposals that wait for their outcome.", float64(s.InFlight)),
	)
}

// raftSamples are those of the raft library, and of Serf's.
func (n *controlNode) raftSamples() []operator.Sample { return librarySamples(n.raftStats) }

// librarySamples are what the libraries report.
func librarySamples(from *raftnode.Metrics) (out []operator.Sample) {
	all, _ := from.All()
	for _, m := range all {
		s := operator.Sample{Name: m.Name, Help: "As reported by the library.", Labels: m.Labels, Value: m.Sum, Total: m.Kind != raftnode.Gauge}
		if m.Kind == raftnode.Sample {
			s.Name += "_sum"
			out = append(out, operator.Sample{Name: m.Name + "_count", Help: s.Help, Labels: m.Labels, Value: float64(m.Count), Total: true})
		}
		out = append(out, s)
	}
	return out
}
