package command

import "github.com/kvorum/kvorum/internal/model"

// RouterUpdate changes a router: only the fields that are given.
//
// Rules: the router is the actor's; values as in RouterCreate.
type RouterUpdate struct {
	ID          model.RouterID `json:"id"`
	Name        *string        `json:"name,omitempty"`
	Description *string        `json:"description,omitempty"`
	Down        *bool          `json:"down,omitempty"`
	// ExternalNetworkID is cleared by an empty id.
	ExternalNetworkID *model.NetworkID `json:"external_network_id,omitempty"`
}

// Kind implements Command.
func (*RouterUpdate) Kind() string { return "router.update/1" }
