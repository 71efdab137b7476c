package compute

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// networksIn is what a create says of networks: a list, or "auto" or "none".
type networksIn struct {
	word string
	list []networkIn
}

type networkIn struct {
	UUID    string `json:"uuid"`
	Port    string `json:"port"`
	FixedIP string `json:"fixed_ip"`
	Tag     string `json:"tag"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *networksIn) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &n.word); err == nil {
		return nil
	}
	return json.Unmarshal(b, &n.list)
}

// wantedNICs are the plugs that each server of a request gets. Their ids and
// MACs are not made yet.
func wantedNICs(v state.View, who rest.Caller, in networksIn, count int) ([]command.ServerNIC, error) {
	switch {
	case in.word == "none":
		return nil, nil
	case len(in.list) == 0:
		return onlyNetwork(v, who, in.word == "auto")
	}
	var out []command.ServerNIC
	for _, n := range in.list {
		nic, err := wantedNIC(v, n, count)
		if err != nil {
			return nil, err
		}
		if nic.Existing != "" && slices.ContainsFunc(out, func(o command.ServerNIC) bool { return o.Existing == nic.Existing }) {
			return nil, invalid("Port ID %s is given more than once.", nic.Existing)
		}
		out = append(out, nic)
	}
	return out, nil
}

// wantedNIC is one plug: a port that is there, or a new one on a network.
func wantedNIC(v state.View, n networkIn, count int) (nic command.ServerNIC, err error) {
	if n.Tag != "" {
		return nic, invalid("Tags of network devices are not offered by this cloud.")
	}
	if n.Port != "" {
		if n.FixedIP != "" {
			return nic, invalid("Specified Fixed IP '%s' cannot be used with port '%s': the two cannot be specified together.", shorten(n.FixedIP), n.Port)
		}
		if count > 1 {
			return nic, invalid("Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.")
		}
		nic.Existing = model.PortID(strings.ToLower(n.Port))
		return nic, nil
	}
	if n.UUID == "" {
		return nic, invalid("Bad network format: missing 'uuid'")
	}
	id := strings.ToLower(n.UUID)
	if v.Network(model.NetworkID(id)) == nil {
		return nic, invalid("Network %s could not be found.", shorten(id))
	}
	nic.NetworkID = model.NetworkID(id)
	if n.FixedIP == "" {
		return nic, nil
	}
	ip, err := netip.ParseAddr(n.FixedIP)
	if err != nil || ip.Zone() != "" {
		return nic, badInput("fixed_ip", n.FixedIP, quoted(n.FixedIP)+" is not a 'ip-address'")
	}
	if count > 1 {
		return nic, invalid("Invalid fixed IP Address %s: it can not be given to more than one server", ip)
	}
	nic.FixedIP = ip.String()
	return nic, nil
}

// onlyNetwork is for a request that names no network: the one that the project
// has or is offered; none of its own is a server without network.
func onlyNetwork(v state.View, who rest.Caller, auto bool) ([]command.ServerNIC, error) {
	var found []*model.Network
	for n := range v.Networks() {
		if !n.External && (n.ProjectID == who.ProjectID() || n.Shared) {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 0:
		if auto {
			return nil, invalid("Unable to automatically allocate a network for project %s", who.ProjectID())
		}
		return nil, nil
	case 1:
		return []command.ServerNIC{{NetworkID: found[0].ID}}, nil
	}
	return nil, errs.Errorf("compute.network", errs.Conflict, "Multiple possible networks found, use a Network ID to be more specific.")
}
