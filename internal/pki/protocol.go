package pki

// The protocols of the internal port, as ALPN names them.
const (
	// Raft is the log, between control nodes.
	Raft = "raft"
	// Peer is everything else between control nodes: read rounds, forwarding.
	Peer = "peer"
	// Images are images' bytes between control nodes.
	Images = "images"
	// Agents is the control nodes' side for agents.
	Agents = "agent"
	// Host is an agent's side for control nodes.
	Host = "host"
	// Join lets a node in that has no certificate yet. It is the only protocol
	// without a client certificate.
	Join = "join"
)

// callers says which roles may call a protocol; what stands here not, nobody
// may.
var callers = map[string][]Role{
	Raft:   {Control},
	Peer:   {Control},
	Images: {Control},
	Agents: {Agent},
	Host:   {Control},
	Join:   nil,
}
