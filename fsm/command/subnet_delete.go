package command

import "github.com/kvorum/kvorum/internal/model"

// SubnetDelete removes a subnet.
//
// Rules: the subnet or its network is the actor's; no port has an address of
// it. An address that a deleted server still holds stays taken on the network,
// of no subnet any more, so that a new subnet cannot give it away too early.
type SubnetDelete struct {
	ID model.SubnetID `json:"id"`
}

// Kind implements Command.
func (*SubnetDelete) Kind() string { return "subnet.delete/1" }
