package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// maxNetworkText bounds names and descriptions of network things, in
// characters.
const maxNetworkText = 255

// seeNetwork gives a network that a project may use: its own or a shared one.
// Any other does not exist for it.
func seeNetwork(tx *state.Tx, by By, id model.NetworkID) (*model.Network, error) {
	n := tx.Network(id)
	if n == nil || !mayUse(by, n.ProjectID) && !n.Shared && !n.External {
		return nil, refuse("network.find", errs.NotFound, "Network %s could not be found.", id)
	}
	return n, nil
}

// findNetwork gives a network that the actor may change. One that it merely
// sees is errs.Forbidden.
func findNetwork(tx *state.Tx, by By, id model.NetworkID) (*model.Network, error) {
	n, err := seeNetwork(tx, by, id)
	if err == nil && !mayUse(by, n.ProjectID) {
		return nil, refuse("network.find", errs.Forbidden, "changing network %s is disallowed by policy", id)
	}
	return n, err
}

// findSubnet gives a subnet that the actor may change: it or its network is
// the actor's. One that it merely sees is errs.Forbidden.
func findSubnet(tx *state.Tx, by By, id model.SubnetID) (*model.Subnet, error) {
	const op = "subnet.find"
	s := tx.Subnet(id)
	if s == nil {
		return nil, refuse(op, errs.NotFound, "Subnet %s could not be found.", id)
	}
	if mayUse(by, s.ProjectID) {
		return s, nil
	}
	n, err := seeNetwork(tx, by, s.NetworkID)
	if err != nil {
		return nil, refuse(op, errs.NotFound, "Subnet %s could not be found.", id)
	}
	if !mayUse(by, n.ProjectID) {
		return nil, refuse(op, errs.Forbidden, "changing subnet %s is disallowed by policy", id)
	}
	return s, nil
}

// findPort gives a port that is the actor's.
func findPort(tx *state.Tx, by By, id model.PortID) (*model.Port, error) {
	p := tx.Port(id)
	if p == nil || !mayUse(by, p.ProjectID) {
		return nil, refuse("port.find", errs.NotFound, "Port %s could not be found.", id)
	}
	return p, nil
}

// findRouter gives a router that is the actor's.
func findRouter(tx *state.Tx, by By, id model.RouterID) (*model.Router, error) {
	r := tx.Router(id)
	if r == nil || !mayUse(by, r.ProjectID) {
		return nil, refuse("router.find", errs.NotFound, "Router %s could not be found", id)
	}
	return r, nil
}

// checkTexts checks a network thing's name and description.
func checkTexts(op, name, description string) error {
	if err := invalid(op, model.CheckText("name", name, maxNetworkText)); err != nil {
		return err
	}
	return invalid(op, model.CheckText("description", description, maxNetworkText))
}

// removePort removes a port, frees its addresses and gives its quota back.
func removePort(tx *state.Tx, p *model.Port) error {
	for _, a := range collect(tx.FixedAddressesOf(p.ID)) {
		tx.DeleteFixedAddress(a.NetworkID, a.IP)
	}
	tx.DeletePort(p.ID)
	return tx.Charge(p.ProjectID, state.Charge{Resource: "port", By: -1})
}

// ownerOf is an actor of a project, for workloads; now and then somebody else.
func ownerOf(g Gen, p model.ProjectID) (By, bool) {
	by, ok := anybody(g)
	by.Admin = by.ProjectID != p && g.Intn(4) > 0
	return by, ok
}

// newMAC makes up a MAC, for workloads.
func newMAC(g Gen) string {
	h := g.Hex()
	return "fa:16:3e:" + h[0:2] + ":" + h[2:4] + ":" + h[4:6]
}
