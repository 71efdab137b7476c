package command

import (
	"strings"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// maxWants bounds the addresses that a port asks for.
const maxWants = 32

// ownerNetwork begins the owners that are the cloud's own.
const ownerNetwork = "network:"

// managed tells whether a device is one that gets its ports by commands of its
// own: a server, a deleted one whose host has not confirmed that it is gone,
// or a router.
func managed(tx *state.Tx, device string) bool {
	if device == "" {
		return false
	}
	if tx.Server(model.ServerID(device)) != nil || tx.Router(model.RouterID(device)) != nil {
		return true
	}
	t := tx.Tombstone(model.ServerID(device))
	return t != nil && !t.Confirmed
}

// checkDevice checks the device that a user wants a port to have.
func checkDevice(tx *state.Tx, by By, device, owner string) error {
	const op = "port.device"
	if err := invalid(op, model.CheckText("device_id", device, maxNetworkText)); err != nil {
		return err
	}
	if err := invalid(op, model.CheckText("device_owner", owner, maxNetworkText)); err != nil {
		return err
	}
	if owner == model.OwnerRouterInterface {
		return refuse(op, errs.Invalid, "Invalid input for device_owner. Reason: a router gets its interfaces by add_router_interface.")
	}
	if strings.HasPrefix(owner, ownerNetwork) && !by.Admin {
		return refuse(op, errs.Forbidden, "setting the port's 'device_owner' to %s is disallowed by policy", owner)
	}
	if managed(tx, device) {
		return refuse(op, errs.Invalid, "Invalid input for device_id. Reason: device %s gets its ports by requests of its own.", device)
	}
	return nil
}

// portInUse is the refusal to touch a port that a device has.
func portInUse(p *model.Port) error {
	return refuse("port.use", errs.Conflict,
		"Unable to complete operation on port %s for network %s. Port already has an attached device %s.", p.ID, p.NetworkID, p.DeviceID)
}
