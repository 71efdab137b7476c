package command

import "github.com/kvorum/kvorum/internal/model"

// RouterCreate makes a router (Networking API v2, "Create router").
//
// Rules: the project is the actor's and there; the id is new; texts are
// well-formed; the external network, if given, is visible and external; the
// project's quota has room.
type RouterCreate struct {
	ID                model.RouterID  `json:"id"`
	ProjectID         model.ProjectID `json:"project_id"`
	Name              string          `json:"name,omitempty"`
	Description       string          `json:"description,omitempty"`
	Down              bool            `json:"down,omitempty"`
	ExternalNetworkID model.NetworkID `json:"external_network_id,omitempty"`
}

// Kind implements Command.
func (*RouterCreate) Kind() string { return "router.create/1" }
