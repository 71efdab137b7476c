package assign

// LeaseRequest is how a host asks one voter to renew its lease.
type LeaseRequest struct {
	// ClusterID is the cluster that the host belongs to; empty while it belongs
	// to none.
	ClusterID string `json:"cluster_id,omitempty"`
	HostID    string `json:"host_id"`
	// Instance names this life of the agent: the machine's boot and the process.
	// Two that are alive at once are a cloned host.
	Instance string `json:"instance"`
	// Seq rises with each request of an instance, whichever voter it goes to: one
	// that was under way for long is told from a new one.
	Seq uint64 `json:"seq"`
}

// LeaseAnswer is what the voter answers.
type LeaseAnswer struct {
	ClusterID   string `json:"cluster_id"`
	Incarnation uint64 `json:"incarnation"`
	// NodeID is who answers.
	NodeID string `json:"node_id"`
	// Granted says that this voter will not call the host dead for Life, in
	// nanoseconds, counted from when the host sent its request.
	Granted bool  `json:"granted"`
	Life    int64 `json:"life_ns"`
	// Reason says why it was not granted.
	Reason LeaseReason `json:"reason,omitempty"`
	// Electorate is whom to ask, as this node knows it.
	Electorate Electorate `json:"electorate"`
}

// LeaseReason is why a voter does not grant a lease.
type LeaseReason string

// The reasons.
const (
	// LeaseDown: the host is called dead, or about to be. It goes on trying: once
	// a majority has heard it, it is called alive.
	LeaseDown LeaseReason = "down"
	// LeaseTaken: another instance of the same host holds the lease.
	LeaseTaken LeaseReason = "taken"
	// LeaseYoung: the voter has just started and was not told yet by a leader
	// which hosts it must not grant.
	LeaseYoung LeaseReason = "young"
	// LeaseOld: a newer request of the same instance came before this one.
	LeaseOld LeaseReason = "old"
)

// Electorate are the control nodes of one configuration of the cluster.
type Electorate struct {
	// Index is where in the log the configuration was committed: a greater one
	// replaces a smaller one.
	Index uint64 `json:"index"`
	// Nodes are ordered by ID.
	Nodes []Node `json:"nodes,omitempty"`
}

// Voters are the nodes that vote.
func (e Electorate) Voters() []Node {
	var all []Node
	for _, n := range e.Nodes {
		if n.Voter {
			all = append(all, n)
		}
	}
	return all
}

// Node is one control node.
type Node struct {
	ID string `json:"id"`
	// Address is where hosts reach it, host:port or a URL; empty if that is not
	// known, and then it is where it answered.
	Address string `json:"address,omitempty"`
	Voter   bool   `json:"voter,omitempty"`
}
