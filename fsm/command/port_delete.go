package command

import "github.com/kvorum/kvorum/internal/model"

// PortDelete removes a port and frees its addresses.
//
// Rules: the port is the actor's; it is no router's interface; no guest can be
// using it: its server, if it has one, has no host, and is not a deleted one
// whose host has not confirmed that it is gone.
type PortDelete struct {
	ID model.PortID `json:"id"`
}

// Kind implements Command.
func (*PortDelete) Kind() string { return "port.delete/1" }
