package command

import "github.com/kvorum/kvorum/internal/model"

// PortCreate makes a port (Networking API v2, "Create port").
//
// Rules: the project is the actor's and there; the network is usable by the
// project, and external ones by administrators only; the id is new; the MAC is
// free on the network; texts are well-formed; the device is neither a server
// nor a router, which get their ports by commands of their own, and the owner
// is not the cloud's own ("network:...") unless an administrator says so;
// addresses asked for are free; the project's quota has room.
type PortCreate struct {
	ID          model.PortID    `json:"id"`
	NetworkID   model.NetworkID `json:"network_id"`
	ProjectID   model.ProjectID `json:"project_id"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	MAC         string          `json:"mac"`
	Down        bool            `json:"down,omitempty"`
	DeviceID    string          `json:"device_id,omitempty"`
	DeviceOwner string          `json:"device_owner,omitempty"`
	// Wants are the addresses asked for; without any it gets a free one of
	// each IP version, or none with NoAddress.
	Wants     []PortAddress `json:"wants,omitempty"`
	NoAddress bool          `json:"no_address,omitempty"`
}

// Kind implements Command.
func (*PortCreate) Kind() string { return "port.create/1" }
