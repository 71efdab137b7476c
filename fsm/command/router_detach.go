package command

import "github.com/kvorum/kvorum/internal/model"

// RouterDetach takes a subnet off a router and removes the port (Networking
// API v2, "Remove interface from router").
//
// Rules: the router is the actor's and has an interface on the subnet.
type RouterDetach struct {
	ID       model.RouterID `json:"id"`
	SubnetID model.SubnetID `json:"subnet_id"`
}

// Kind implements Command.
func (*RouterDetach) Kind() string { return "router.detach/1" }
