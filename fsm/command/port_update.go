package command

import "github.com/kvorum/kvorum/internal/model"

// PortUpdate changes a port: only the fields that are given.
//
// Rules: the port is the actor's; texts are well-formed; the device of a port
// that a server or router has cannot be changed, nor can a port be given to
// one: unplug and plug are commands of their own. The owner is as in
// PortCreate.
type PortUpdate struct {
	ID          model.PortID `json:"id"`
	Name        *string      `json:"name,omitempty"`
	Description *string      `json:"description,omitempty"`
	Down        *bool        `json:"down,omitempty"`
	DeviceID    *string      `json:"device_id,omitempty"`
	DeviceOwner *string      `json:"device_owner,omitempty"`
}

// Kind implements Command.
func (*PortUpdate) Kind() string { return "port.update/1" }
