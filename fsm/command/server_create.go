package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ServerCreate makes one or more servers of one request: the servers, their
// ports and addresses, the quota they use and the record of the action. It
// places nothing: servers.place does, later.
//
// Rules, in the order in which they are checked: the project and the flavor's
// copy are given; the flavor is there and usable by the project; the image is
// there, active and visible; names and maps are well-formed; the ids are new;
// the project's quota has room for all of them; each network is there and
// usable by the project; each port given is free and the project's; an address
// asked for is free, otherwise a free one of the network's pools is taken (see
// freeAddress).
type ServerCreate struct {
	ProjectID model.ProjectID `json:"project_id"`
	UserID    model.UserID    `json:"user_id"`
	// Items has what differs between the servers of the request.
	Items []ServerItem `json:"items"`

	Description   *string           `json:"description,omitempty"`
	ImageID       model.ImageID     `json:"image_id"`
	Size          model.Size        `json:"size"`
	KeyName       string            `json:"key_name,omitempty"`
	KeyType       string            `json:"key_type,omitempty"`
	PublicKey     string            `json:"public_key,omitempty"`
	Metadata      map[string]string `json:"metadata,omitempty"`
	Tags          []string          `json:"tags,omitempty"`
	UserData      []byte            `json:"user_data,omitempty"`
	ConfigDrive   bool              `json:"config_drive,omitempty"`
	AccessIPv4    string            `json:"access_ipv4,omitempty"`
	AccessIPv6    string            `json:"access_ipv6,omitempty"`
	DiskManual    bool              `json:"disk_manual,omitempty"`
	ReservationID string            `json:"reservation_id"`
	WantZone      string            `json:"want_zone,omitempty"`
	WantHost      string            `json:"want_host,omitempty"`
}

// ServerItem is one server of ServerCreate.
type ServerItem struct {
	ID       model.ServerID `json:"id"`
	Name     string         `json:"name"`
	Hostname string         `json:"hostname"`
	NICs     []ServerNIC    `json:"nics,omitempty"`
}

// ServerNIC is a plug of a new server: an existing port, or a new one.
type ServerNIC struct {
	// Existing names a port of the project; the rest is empty then.
	Existing model.PortID `json:"existing,omitempty"`
	// PortID and MAC are the new port's.
	PortID    model.PortID    `json:"port_id,omitempty"`
	NetworkID model.NetworkID `json:"network_id,omitempty"`
	MAC       string          `json:"mac,omitempty"`
	// FixedIP is asked for by the user; empty takes a free one.
	FixedIP string `json:"fixed_ip,omitempty"`
}

// Kind implements Command.
func (*ServerCreate) Kind() string { return "server.create/1" }

// Apply implements Command.
func (c *ServerCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if err := c.check(tx, m); err != nil {
		return nil, err
	}
	if err := tx.Charge(c.ProjectID, state.SizeCharge(c.Size, len(c.Items))...); err != nil {
		return nil, err
	}
	num := tx.Take(lastServer, len(c.Items))
	ids := make([]string, 0, len(c.Items))
	for i, item := range c.Items {
		if err := c.plugAll(tx, m, item); err != nil {
			return nil, err
		}
		tx.PutServer(c.server(item, i, num+uint64(i), m))
		beginAction(tx, m, item.ID, c.ProjectID, "create")
		ids = append(ids, string(item.ID))
	}
	return ids, nil
}

func (c *ServerCreate) check(tx *state.Tx, m Meta) error {
	const op = "server.create"
	if !mayUse(m.By, c.ProjectID) || tx.Project(c.ProjectID) == nil {
		return refuse(op, errs.NotFound, "Project %s could not be found.", c.ProjectID)
	}
	if len(c.Items) == 0 || c.Size.VCPUs < 1 || c.Size.RAM < 1 {
		return refuse(op, errs.Invalid, "a request makes at least one server of at least one CPU and 1 MiB")
	}
	if f := tx.Flavor(c.Size.FlavorID); f == nil || !f.UsableBy(c.ProjectID) && !m.By.Admin {
		return refuse(op, errs.Invalid, "Flavor %s could not be found.", c.Size.FlavorID)
	}
	img := tx.Image(c.ImageID)
	if img == nil || !imageVisible(m.By, img, c.ProjectID) {
		return refuse(op, errs.Invalid, "Can not find requested image")
	}
	if img.Status != model.ImageActive {
		return refuse(op, errs.Invalid, "Image %s is not active.", c.ImageID)
	}
	if err := model.CheckMap("metadata", c.Metadata); err != nil {
		return errs.E(op, errs.Invalid, err.Error(), nil)
	}
	for _, item := range c.Items {
		if err := model.CheckName("name", item.Name); err != nil {
			return errs.E(op, errs.Invalid, err.Error(), nil)
		}
		if !model.IsUUID(string(item.ID)) || tx.Server(item.ID) != nil || tx.Tombstone(item.ID) != nil {
			return refuse(op, errs.Conflict, "server id %q is not a new UUID", item.ID)
		}
	}
	return nil
}

func imageVisible(by By, img *model.Image, p model.ProjectID) bool {
	return img.ProjectID == p || img.Visibility == "public" || img.Visibility == "community" || by.Admin || by.System != ""
}

func (c *ServerCreate) server(item ServerItem, i int, num uint64, m Meta) *model.Server {
	return &model.Server{
		ID: item.ID, Num: num, ProjectID: c.ProjectID, UserID: c.UserID, Name: item.Name, Hostname: item.Hostname,
		Description: c.Description, ImageID: c.ImageID, Size: c.Size, KeyName: c.KeyName, KeyType: c.KeyType,
		PublicKey: c.PublicKey, Metadata: c.Metadata, Tags: c.Tags, UserData: c.UserData, ConfigDrive: c.ConfigDrive,
		AccessIPv4: c.AccessIPv4, AccessIPv6: c.AccessIPv6, DiskManual: c.DiskManual, ReservationID: c.ReservationID,
		LaunchIndex: i, WantZone: c.WantZone, WantHost: c.WantHost,
		VMState: model.Building, TaskState: model.TaskScheduling, PowerEpoch: 1,
		CreatedAt: m.At, UpdatedAt: m.At, Revision: m.Index,
	}
}

func (c *ServerCreate) plugAll(tx *state.Tx, m Meta, item ServerItem) error {
	for _, nic := range item.NICs {
		var err error
		if nic.Existing != "" {
			err = c.plugExisting(tx, m, item.ID, nic.Existing)
		} else {
			err = c.plugNew(tx, m, item.ID, nic)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *ServerCreate) plugExisting(tx *state.Tx, m Meta, server model.ServerID, id model.PortID) error {
	const op = "server.create"
	p := tx.Port(id)
	if p == nil || p.ProjectID != c.ProjectID && !m.By.Admin {
		return refuse(op, errs.Invalid, "Port id %s could not be found.", id)
	}
	if p.DeviceID != "" {
		return refuse(op, errs.Conflict, "Port %s is still in use.", id)
	}
	q := p.Clone()
	q.DeviceID, q.DeviceOwner = string(server), model.OwnerComputePrefix+"nova"
	q.UpdatedAt, q.Revision = m.At, q.Revision+1
	tx.PutPort(q)
	return nil
}

func (c *ServerCreate) plugNew(tx *state.Tx, m Meta, server model.ServerID, nic ServerNIC) error {
	n := tx.Network(nic.NetworkID)
	if n == nil || n.ProjectID != c.ProjectID && !n.Shared && !m.By.Admin {
		return refuse("server.create", errs.Invalid, "Network %s could not be found.", nic.NetworkID)
	}
	if n.External && !m.By.Admin {
		return refuse("server.create", errs.Forbidden, "It is not allowed to create an interface on external network %s", n.ID)
	}
	var wants []PortAddress
	if nic.FixedIP != "" {
		wants = []PortAddress{{IP: nic.FixedIP}}
	}
	return makePort(tx, m, &model.Port{
		ID: nic.PortID, NetworkID: nic.NetworkID, ProjectID: c.ProjectID, MAC: nic.MAC, Auto: true,
		DeviceID: string(server), DeviceOwner: model.OwnerComputePrefix + "nova",
	}, wants, true)
}

func exampleServerCreate() *ServerCreate {
	return &ServerCreate{
		ProjectID: "000000000000000000000000000000a1", UserID: "000000000000000000000000000000b1",
		Items: []ServerItem{{ID: "00000000-0000-4000-8000-000000000001", Name: "web", Hostname: "web",
			NICs: []ServerNIC{{PortID: "00000000-0000-4000-8000-000000000002", NetworkID: "00000000-0000-4000-8000-0000000000e1", MAC: "fa:16:3e:00:00:01"}}}},
		ImageID:       "00000000-0000-4000-8000-0000000000d1",
		Size:          model.Size{FlavorID: "1", FlavorName: "m1.tiny", VCPUs: 1, RAM: 512, Disk: 1},
		Metadata:      map[string]string{"role": "web"},
		ReservationID: "r-0example",
	}
}

func workServerCreate(g Gen) (Command, By, bool) {
	v := g.View()
	by, ok := anybody(g)
	img, haveImage := pick(g, v.Images())
	f, haveFlavor := pick(g, v.Flavors())
	if !ok || !haveImage || !haveFlavor {
		return nil, by, false
	}
	c := &ServerCreate{ProjectID: by.ProjectID, UserID: by.UserID, ImageID: img.ID, ReservationID: "r-" + g.Hex()[:8],
		Size: model.Size{FlavorID: f.ID, FlavorName: f.Name, VCPUs: f.VCPUs, RAM: f.RAM, Disk: f.Disk}}
	n, haveNetwork := pick(g, v.NetworksOf(by.ProjectID))
	for i := range 1 + g.Intn(3) {
		name := fmt.Sprintf("s-%d-%d", g.Intn(1000), i)
		item := ServerItem{ID: model.ServerID(g.UUID()), Name: name, Hostname: name}
		if haveNetwork && !n.External && g.Intn(4) > 0 {
			h := g.Hex()
			item.NICs = []ServerNIC{{PortID: model.PortID(g.UUID()), NetworkID: n.ID, MAC: "fa:16:3e:" + h[0:2] + ":" + h[2:4] + ":" + h[4:6]}}
		}
		c.Items = append(c.Items, item)
	}
	return c, by, true
}
