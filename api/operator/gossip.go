package operator

import (
	"context"
	"net/http"
)

// GossipMember is one node as gossip sees it: a hint, and nothing that is
// decided by.
type GossipMember struct {
	Pool string `json:"pool"`
	// ID is the node's, and Name what the state calls it; empty if the state does
	// not know it.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Known says that the state has such a node in this role.
	Known bool `json:"known"`
	// Role, RPC and Version are what it says of itself; RPC is where its internal
	// port is.
	Role    string `json:"role"`
	RPC     string `json:"rpc"`
	Version string `json:"version"`
	// Address is where it gossips, and Status what is believed of it: alive, failed
	// or left.
	Address string `json:"address"`
	Status  string `json:"status"`
}

// Alarm is what this control node holds to be wrong with the identities of nodes.
type Alarm struct {
	// Kind is name (two addresses claim one name in a gossip pool), key (somebody
	// gossips under another key) or clone (two machines ask for one host's lease).
	Kind string `json:"kind"`
	// Pool is the gossip pool; empty for clone.
	Pool string `json:"pool"`
	// ID is the node's that the alarm is about, and Name what the state calls it.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Holder is believed, and Claimant is not: addresses, or lives of agents.
	Holder   string `json:"holder"`
	Claimant string `json:"claimant"`
	// Count is how often it was seen, First and Last when (RFC 3339), and Active
	// whether that was within the last hour.
	Count  uint64 `json:"count"`
	First  string `json:"first"`
	Last   string `json:"last"`
	Active bool   `json:"active"`
}

func (d *Verbs) gossip(context.Context, *http.Request) (any, error) {
	all, err := d.Gossip()
	return map[string]any{"members": all}, err
}

func (d *Verbs) alarms(context.Context, *http.Request) (any, error) {
	return map[string]any{"alarms": d.Alarms()}, nil
}
