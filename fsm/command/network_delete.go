package command

import "github.com/kvorum/kvorum/internal/model"

// NetworkDelete removes a network with its subnets.
//
// Rules: the network is the actor's; no port is on it and no router leads out
// there. Addresses that deleted servers still hold go with it: its segment is
// never given again, so a guest that is not gone yet can meet nobody there.
type NetworkDelete struct {
	ID model.NetworkID `json:"id"`
}

// Kind implements Command.
func (*NetworkDelete) Kind() string { return "network.delete/1" }
