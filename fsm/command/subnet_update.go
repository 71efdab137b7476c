package command

import "github.com/kvorum/kvorum/internal/model"

// SubnetUpdate changes a subnet: only the fields that are given. Lists replace
// the whole.
//
// Rules: the subnet or its network is the actor's; values as in SubnetCreate;
// the gateway changes only while no port has the old or the new address.
type SubnetUpdate struct {
	ID          model.SubnetID `json:"id"`
	Name        *string        `json:"name,omitempty"`
	Description *string        `json:"description,omitempty"`
	// Gateway is cleared by an empty string.
	Gateway *string            `json:"gateway,omitempty"`
	NoDHCP  *bool              `json:"no_dhcp,omitempty"`
	Pools   *[]model.Pool      `json:"pools,omitempty"`
	DNS     *[]string          `json:"dns,omitempty"`
	Routes  *[]model.HostRoute `json:"routes,omitempty"`
}

// Kind implements Command.
func (*SubnetUpdate) Kind() string { return "subnet.update/1" }
