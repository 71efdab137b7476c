package command

import "github.com/kvorum/kvorum/internal/model"

// RouterAttach joins a subnet to a router: a port of the router's project gets
// the subnet's gateway address (Networking API v2, "Add interface to router").
//
// Rules: the router is the actor's; the subnet's network is too (one that is
// merely shared may not be changed); the subnet has a gateway, which is free,
// and overlaps with none of the router's; the quota has room for the port.
type RouterAttach struct {
	ID       model.RouterID `json:"id"`
	SubnetID model.SubnetID `json:"subnet_id"`
	// PortID and MAC are the new port's.
	PortID model.PortID `json:"port_id"`
	MAC    string       `json:"mac"`
}

// Kind implements Command.
func (*RouterAttach) Kind() string { return "router.attach/1" }
