package model

// The roles of a node, as its certificate says them.
const (
	NodeControl = "control" // takes part in the log and serves the APIs
	NodeAgent   = "agent"   // runs guests
)

// ControlNode is a member of the control plane. Written by cluster.init,
// node.join and node.remove.
type ControlNode struct {
	ID NodeID `json:"id,omitzero"`
	// Name is a label that people know it by; it is its own.
	Name string `json:"name,omitzero"`
	// Address is its internal port, host:port.
	Address string `json:"address,omitzero"`
	// PublicURL is where clients reach it; empty if it did not say.
	PublicURL string `json:"public_url,omitzero"`
	// Version is the program's that it joined with.
	Version  string `json:"version,omitzero"`
	JoinedAt int64  `json:"joined_at,omitzero"`
}
