package command

import "github.com/kvorum/kvorum/internal/model"

// NetworkCreate makes a network (Networking API v2, "Create network"). Its
// segment number is new and never given again.
//
// Rules: the project is the actor's and there; the id is new; texts are
// well-formed; the MTU is 0 for model.DefaultMTU or within MinMTU and MaxMTU;
// only administrators make shared and external networks; the project's quota
// has room.
type NetworkCreate struct {
	ID          model.NetworkID `json:"id"`
	ProjectID   model.ProjectID `json:"project_id"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	Down        bool            `json:"down,omitempty"`
	Shared      bool            `json:"shared,omitempty"`
	External    bool            `json:"external,omitempty"`
	MTU         int             `json:"mtu,omitempty"`
}

// Kind implements Command.
func (*NetworkCreate) Kind() string { return "network.create/1" }
