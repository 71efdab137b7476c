package model

import "slices"

// The owners of ports that are not a guest's.
const (
	OwnerRouterInterface = "network:router_interface"
	OwnerComputePrefix   = "compute:"
)

// Port is a plug of a network: a MAC with its fixed addresses. Written by
// port.*, ports.create, tags.change, server.create, server.delete, router.*
// and host.report.
type Port struct {
	ID          PortID    `json:"id,omitzero"`
	NetworkID   NetworkID `json:"network_id,omitzero"`
	ProjectID   ProjectID `json:"project_id,omitzero"`
	Name        string    `json:"name,omitzero"`
	Description string    `json:"description,omitzero"`
	MAC         string    `json:"mac,omitzero"`
	Down        bool      `json:"down,omitzero"`
	// DeviceID is the server's or router's id; empty for a free port.
	DeviceID    string `json:"device_id,omitzero"`
	DeviceOwner string `json:"device_owner,omitzero"`
	// Auto ports were made for their server and go with it.
	Auto bool `json:"auto,omitzero"`
	// Active says that its host has it plugged in.
	Active    bool     `json:"active,omitzero"`
	Tags      []string `json:"tags,omitempty"`
	Revision  uint64   `json:"revision,omitzero"`
	CreatedAt int64    `json:"created_at,omitzero"`
	UpdatedAt int64    `json:"updated_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (p *Port) Clone() *Port { q := *p; q.Tags = slices.Clone(p.Tags); return &q }

// FixedAddress ties an address of a network to a port. It outlives a deleted
// port for as long as the host of its guest has not confirmed that the guest
// is gone: HeldBy names that server. Written with its port, and by
// host.report.
type FixedAddress struct {
	NetworkID NetworkID `json:"network_id,omitzero"`
	IP        string    `json:"ip,omitzero"`
	SubnetID  SubnetID  `json:"subnet_id,omitzero"`
	PortID    PortID    `json:"port_id,omitzero"`
	HeldBy    ServerID  `json:"held_by,omitzero"`
}

// Clone gives a copy that may be changed.
func (a *FixedAddress) Clone() *FixedAddress { b := *a; return &b }
