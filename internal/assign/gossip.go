package assign

import "fmt"

// Gossip is how a host's agent joins the pool in which agents and control nodes
// find each other.
type Gossip struct {
	// ClusterID and Incarnation name the cluster; together they are the pool's.
	ClusterID   string `json:"cluster_id"`
	Incarnation uint64 `json:"incarnation"`
	// Key is the pool's, 32 bytes; all agents have it.
	Key []byte `json:"key"`
	// Seeds are addresses, host:port, at which others may be found; at most
	// MaxSeeds.
	Seeds []string `json:"seeds,omitempty"`
}

// MaxSeeds bounds the addresses in a Gossip.
const MaxSeeds = 64

// Label names the cluster as its gossip pools do.
func (g Gossip) Label() string { return GossipLabel(g.ClusterID, g.Incarnation) }

// GossipLabel names a cluster in one of its incarnations.
func GossipLabel(cluster string, incarnation uint64) string {
	return fmt.Sprintf("%s.%d", cluster, incarnation)
}
