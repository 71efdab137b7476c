package command

import "github.com/kvorum/kvorum/internal/model"

// NetworkUpdate changes a network: only the fields that are given.
//
// Rules: the network is the actor's; values as in NetworkCreate; Shared and
// External are an administrator's; sharing ends only when no other project
// has a port on it, and being external only when no router leads out there.
type NetworkUpdate struct {
	ID          model.NetworkID `json:"id"`
	Name        *string         `json:"name,omitempty"`
	Description *string         `json:"description,omitempty"`
	Down        *bool           `json:"down,omitempty"`
	Shared      *bool           `json:"shared,omitempty"`
	External    *bool           `json:"external,omitempty"`
	MTU         *int            `json:"mtu,omitempty"`
}

// Kind implements Command.
func (*NetworkUpdate) Kind() string { return "network.update/1" }
