package joining

// Path is where a control node lets nodes in, by the protocol pki.Join.
const Path = "/join/v1/join"

// MaxAsk bounds the question, in bytes.
const MaxAsk = 64 << 10

// Ask is what a node asks with, as JSON.
type Ask struct {
	TokenID string `json:"token_id"`
	// Secret is the token's.
	Secret []byte `json:"secret"`
	Role   string `json:"role"`
	Name   string `json:"name"`
	NodeID string `json:"node_id"`
	// CSR is a certificate request (PKCS 10, DER) by the node's key.
	CSR []byte `json:"csr"`
	// Address (host:port of the internal port), PublicURL and Version are a
	// control node's.
	Address   string `json:"address,omitempty"`
	PublicURL string `json:"public_url,omitempty"`
	Version   string `json:"version,omitempty"`
}

// Answer is what a node that is let in is told.
type Answer struct {
	ClusterID string `json:"cluster_id"`
	// Incarnation is the cluster's: it rises with each restore.
	Incarnation uint64 `json:"incarnation"`
	// CA and Certificate are DER.
	CA          []byte `json:"ca"`
	Certificate []byte `json:"certificate"`
	// Controls are the control nodes, the new one among them.
	Controls []Control `json:"controls"`
	// DataKey opens the cluster's sealed secrets; control nodes alone get it.
	DataKey []byte `json:"data_key,omitempty"`
	// GossipKey is the cluster's for a control node, and for an agent that of
	// the agents' pool.
	GossipKey []byte `json:"gossip_key,omitempty"`
}

// Control is a control node.
type Control struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Failure is the answer to who is not let in.
type Failure struct {
	Error Reason `json:"error"`
}

// Reason says why not; Kind is an errs.Kind's name.
type Reason struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}
