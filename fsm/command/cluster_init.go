package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ClusterInit is the first command of every cluster: its identity, the default
// domain, the first project and user, the roles, the token key and the
// flavors; its certificate authority, and the first control node.
//
// Rules: the state is empty; the actor is the bootstrap. Names and ids are
// given; the admin role implies member, and member implies reader. Authority,
// gossip key and first node come together, well-formed, or not at all: a
// cluster without them stays alone.
type ClusterInit struct {
	ClusterID string `json:"cluster_id"`
	Region    string `json:"region"`

	DomainID   model.DomainID  `json:"domain_id"`
	DomainName string          `json:"domain_name"`
	ProjectID  model.ProjectID `json:"project_id"`
	Project    string          `json:"project"`
	UserID     model.UserID    `json:"user_id"`
	User       string          `json:"user"`
	// PasswordHash is a PHC string.
	PasswordHash string `json:"password_hash"`
	// TokenKey is sealed.
	TokenKey []byte       `json:"token_key"`
	Roles    []InitRole   `json:"roles"`
	Flavors  []InitFlavor `json:"flavors"`

	// CACert is the authority's certificate, DER; CAKey and GossipKey are sealed.
	CACert    []byte `json:"ca_cert,omitempty"`
	CAKey     []byte `json:"ca_key,omitempty"`
	GossipKey []byte `json:"gossip_key,omitempty"`
	// The first control node, as in model.ControlNode.
	NodeID      model.NodeID `json:"node_id,omitempty"`
	NodeName    string       `json:"node_name,omitempty"`
	NodeAddress string       `json:"node_address,omitempty"`
	NodeURL     string       `json:"node_url,omitempty"`
	NodeVersion string       `json:"node_version,omitempty"`
	// Its certificate, as in model.Certificate.
	Serial    string `json:"serial,omitempty"`
	KeyHash   string `json:"key_hash,omitempty"`
	NotBefore int64  `json:"not_before,omitempty"`
	NotAfter  int64  `json:"not_after,omitempty"`
}

// InitRole is one role of ClusterInit.
type InitRole struct {
	ID      model.RoleID   `json:"id"`
	Name    string         `json:"name"`
	Implies []model.RoleID `json:"implies,omitempty"`
}

// InitFlavor is one flavor of ClusterInit; units as in model.Flavor.
type InitFlavor struct {
	ID    model.FlavorID `json:"id"`
	Name  string         `json:"name"`
	VCPUs int            `json:"vcpus"`
	RAM   int            `json:"ram"`
	Disk  int            `json:"disk"`
}

// Kind implements Command.
func (*ClusterInit) Kind() string { return "cluster.init/1" }

// Apply implements Command.
func (c *ClusterInit) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "cluster.init"
	if err := onlySystem(op, m.By, Bootstrap); err != nil {
		return nil, err
	}
	if tx.Cluster() != nil {
		return nil, refuse(op, errs.Conflict, "the cluster is already initialized as %s", tx.Cluster().ID)
	}
	if !model.IsUUID(c.ClusterID) {
		return nil, refuse(op, errs.Invalid, "the cluster's id must be a UUID")
	}
	if err := c.members(tx); err != nil {
		return nil, err
	}
	tx.PutCluster(&model.Cluster{ID: c.ClusterID, Incarnation: 1, Region: c.Region, FeatureLevel: 1, CreatedAt: m.At})
	tx.PutDomain(&model.Domain{ID: c.DomainID, Name: c.DomainName, CreatedAt: m.At})
	tx.PutProject(&model.Project{ID: c.ProjectID, DomainID: c.DomainID, Name: c.Project, Epoch: 1, CreatedAt: m.At})
	tx.PutUser(&model.User{ID: c.UserID, DomainID: c.DomainID, Name: c.User, PasswordHash: c.PasswordHash,
		DefaultProject: c.ProjectID, Epoch: 1, CreatedAt: m.At})
	tx.PutTokenKey(&model.TokenKey{Num: tx.Next(lastKey), Sealed: c.TokenKey, CreatedAt: m.At})
	for _, r := range c.Roles {
		tx.PutRole(&model.Role{ID: r.ID, Name: r.Name, Implies: r.Implies})
		if r.Name == "admin" {
			tx.PutGrant(&model.Grant{UserID: c.UserID, ProjectID: c.ProjectID, RoleID: r.ID})
		}
	}
	for _, f := range c.Flavors {
		tx.PutFlavor(&model.Flavor{ID: f.ID, Num: tx.Next(lastFlavor), Name: f.Name, VCPUs: f.VCPUs, RAM: f.RAM, Disk: f.Disk, CreatedAt: m.At})
	}
	return []string{c.ClusterID}, nil
}

// members stores the authority and the first control node.
func (c *ClusterInit) members(tx *state.Tx) error {
	const op = "cluster.init"
	if c.CACert == nil && c.CAKey == nil && c.GossipKey == nil && c.NodeID == "" {
		return nil
	}
	if !within(c.CACert, maxAuthority) || !within(c.CAKey, maxSealedKey) || !within(c.GossipKey, maxSealedKey) || !model.IsUUID(string(c.NodeID)) {
		return refuse(op, errs.Invalid, "the authority's certificate and key, the gossip key and the first node's id must all be given")
	}
	cert := &model.Certificate{Serial: c.Serial, Role: model.NodeControl, NodeID: c.NodeID, Name: c.NodeName, KeyHash: c.KeyHash,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter}
	if err := invalid(op, checkNode(c.NodeName, c.NodeAddress, c.NodeURL, c.NodeVersion)); err != nil {
		return err
	}
	if err := invalid(op, checkCertificate(cert, tx.At)); err != nil {
		return err
	}
	tx.PutAuthority(&model.Authority{Certificate: c.CACert, Key: c.CAKey, GossipKey: c.GossipKey, CreatedAt: tx.At})
	tx.PutCertificate(cert)
	tx.PutControlNode(&model.ControlNode{ID: c.NodeID, Name: c.NodeName, Address: c.NodeAddress, PublicURL: c.NodeURL, Version: c.NodeVersion, JoinedAt: tx.At})
	return nil
}

// The counters that commands take numbers from.
func lastServer(c *model.Cluster) *uint64  { return &c.LastServer }
func lastImage(c *model.Cluster) *uint64   { return &c.LastImage }
func lastFlavor(c *model.Cluster) *uint64  { return &c.LastFlavor }
func lastKeyPair(c *model.Cluster) *uint64 { return &c.LastKeyPair }
func lastHost(c *model.Cluster) *uint64    { return &c.LastHost }
func lastRouter(c *model.Cluster) *uint64  { return &c.LastRouter }
func lastSegment(c *model.Cluster) *uint64 { return &c.LastSegment }
func lastKey(c *model.Cluster) *uint64     { return &c.LastKey }

func exampleClusterInit() *ClusterInit {
	return &ClusterInit{
		ClusterID: "00000000-0000-4000-8000-00000000000c", Region: "RegionOne",
		DomainID: "default", DomainName: "Default",
		ProjectID: "000000000000000000000000000000a1", Project: "admin",
		UserID: "000000000000000000000000000000b1", User: "admin",
		PasswordHash: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA", TokenKey: []byte("sealed"),
		Roles: []InitRole{
			{ID: "000000000000000000000000000000c1", Name: "admin", Implies: []model.RoleID{"000000000000000000000000000000c2"}},
			{ID: "000000000000000000000000000000c2", Name: "member", Implies: []model.RoleID{"000000000000000000000000000000c3"}},
			{ID: "000000000000000000000000000000c3", Name: "reader"},
		},
		Flavors: []InitFlavor{
			{ID: "1", Name: "m1.tiny", VCPUs: 1, RAM: 512, Disk: 1},
			{ID: "2", Name: "m1.small", VCPUs: 1, RAM: 2048, Disk: 20},
		},
		CACert: []byte("certificate"), CAKey: []byte("sealed"), GossipKey: []byte("sealed too"),
		NodeID: "00000000-0000-4000-8000-0000000000a1", NodeName: "c1", NodeAddress: "10.0.0.1:8770", NodeURL: "http://10.0.0.1:8774", NodeVersion: "1.0",
		Serial: "000000000000000000000000000000e1", KeyHash: exampleKeyHash, NotAfter: exampleNotAfter,
	}
}

// exampleKeyHash and exampleNotAfter (the year 2100) are those of the example's
// first node.
const (
	exampleKeyHash  = "00000000000000000000000000000000000000000000000000000000000000c1"
	exampleNotAfter = int64(4102444800e9)
)

// workClusterInit tries to initialize a second time, which must be refused.
func workClusterInit(g Gen) (Command, By, bool) {
	c := exampleClusterInit()
	c.ClusterID = g.UUID()
	return c, By{System: Bootstrap}, true
}
