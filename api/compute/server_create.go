package compute

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// The bounds of a create.
const (
	maxServers  = 1000
	maxUserData = 65535 // of base64
	maxMetadata = 128
)

// createIn is the body of POST /servers.
type createIn struct {
	Server struct {
		Name           string                  `json:"name"`
		ImageRef       string                  `json:"imageRef"`
		FlavorRef      any                     `json:"flavorRef"`
		AdminPass      *string                 `json:"adminPass"`
		Metadata       map[string]string       `json:"metadata"`
		Networks       []networkIn             `json:"networks"`
		DiskConfig     string                  `json:"OS-DCF:diskConfig"`
		AccessIPv4     string                  `json:"accessIPv4"`
		AccessIPv6     string                  `json:"accessIPv6"`
		Personality    []json.RawMessage       `json:"personality"`
		Zone           string                  `json:"availability_zone"`
		BlockDevices   []blockIn               `json:"block_device_mapping_v2"`
		ConfigDrive    any                     `json:"config_drive"`
		KeyName        *string                 `json:"key_name"`
		Min            *number                 `json:"min_count"`
		Max            *number                 `json:"max_count"`
		Reservation    any                     `json:"return_reservation_id"`
		SecurityGroups []struct{ Name string } `json:"security_groups"`
		UserData       *string                 `json:"user_data"`
		Description    *string                 `json:"description"`
	} `json:"server"`
	Hints  json.RawMessage `json:"os:scheduler_hints"`
	Hints2 json.RawMessage `json:"OS-SCH-HNT:scheduler_hints"`
}

type networkIn struct {
	UUID    string `json:"uuid"`
	Port    string `json:"port"`
	FixedIP string `json:"fixed_ip"`
}

type blockIn struct {
	Source      string `json:"source_type"`
	Destination string `json:"destination_type"`
	UUID        string `json:"uuid"`
	Boot        any    `json:"boot_index"`
	Delete      any    `json:"delete_on_termination"`
}

func (d *Door) createServer(c *rest.Call) (rest.Answer, error) {
	var in createIn
	if err := c.Decode(&in, true); err != nil {
		return rest.Answer{}, err
	}
	cmd, err := d.decideCreate(c, &in)
	if err != nil {
		return rest.Answer{}, err
	}
	ids, err := c.Do(cmd)
	if err != nil {
		return rest.Answer{}, err
	}
	if in.Server.Reservation == true || in.Server.Reservation == "True" || in.Server.Reservation == "true" {
		return rest.JSON(http.StatusAccepted, object{"reservation_id": cmd.ReservationID}), nil
	}
	s := c.View.Server(model.ServerID(ids[0]))
	ls := links(c, "servers", ids[0])
	return rest.JSON(http.StatusAccepted, object{"server": object{"id": ids[0], "links": ls, "adminPass": c.Hex()[:12],
		"OS-DCF:diskConfig": map[bool]string{false: "AUTO", true: "MANUAL"}[s.DiskManual], "security_groups": []object{{"name": "default"}}}}).
		With("Location", ls[0]["href"].(string)), nil
}

// decideCreate turns what is asked into the command.
func (d *Door) decideCreate(c *rest.Call, in *createIn) (*command.ServerCreate, error) {
	s := &in.Server
	if err := model.CheckName("name", s.Name); err != nil {
		return nil, badInput("name", shorten(s.Name), err.Error())
	}
	if err := unoffered(c, in); err != nil {
		return nil, err
	}
	f, err := wantedFlavor(c, s.FlavorRef)
	if err != nil {
		return nil, err
	}
	img, err := wantedImage(c, s.ImageRef, f)
	if err != nil {
		return nil, err
	}
	count, err := counts(s.Min, s.Max)
	if err != nil {
		return nil, err
	}
	cmd := &command.ServerCreate{ProjectID: c.Caller.ProjectID(), UserID: c.Caller.User.ID, ImageID: img.ID, ReservationID: "r-" + c.Hex()[:8],
		Size:     model.Size{FlavorID: f.ID, FlavorName: f.Name, VCPUs: f.VCPUs, RAM: f.RAM, Disk: f.Disk, Ephemeral: f.Ephemeral, Swap: f.Swap, ExtraSpecs: f.ExtraSpecs},
		Metadata: s.Metadata, DiskManual: s.DiskConfig == "MANUAL", AccessIPv4: s.AccessIPv4, AccessIPv6: s.AccessIPv6, Description: s.Description}
	if len(s.Metadata) > maxMetadata {
		return nil, errs.Errorf("compute.create", errs.Quota, "Maximum number of metadata items exceeds %d", maxMetadata)
	}
	if err := wantedZone(c, s.Zone, cmd); err != nil {
		return nil, err
	}
	if err := wantedKey(c, s.KeyName, cmd); err != nil {
		return nil, err
	}
	if cmd.UserData, err = d.userData(s.UserData); err != nil {
		return nil, err
	}
	nets, err := wantedNetworks(c, s.Networks, count)
	if err != nil {
		return nil, err
	}
	given := map[string]bool{}
	for i := range count {
		name := s.Name
		if count > 1 {
			name = fmt.Sprintf("%s-%d", s.Name, i+1)
		}
		id := c.UUID()
		item := command.ServerItem{ID: model.ServerID(id), Name: name, Hostname: hostname(name, id)}
		for _, n := range nets {
			if n.Existing == "" {
				n.PortID, n.MAC = model.PortID(c.UUID()), newMAC(c, n.NetworkID, given)
			}
			item.NICs = append(item.NICs, n)
		}
		cmd.Items = append(cmd.Items, item)
	}
	return cmd, nil
}

// newMAC makes an address of the range that clouds use that is free on the
// network and not given in this request: with 24 bits, chance alone meets a
// taken one soon.
func newMAC(c *rest.Call, n model.NetworkID, given map[string]bool) (mac string) {
	for range 64 {
		h := c.Hex()
		mac = "fa:16:3e:" + h[0:2] + ":" + h[2:4] + ":" + h[4:6]
		if c.View.PortWithMAC(n, mac) == nil && !given[mac] {
			break
		}
	}
	given[mac] = true
	return mac
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 64 {
		return string(r[:64]) + "..."
	}
	return s
}

// unoffered refuses what Nova has and this cloud does not.
func unoffered(c *rest.Call, in *createIn) error {
	s := &in.Server
	not := func(what string) error {
		return errs.Errorf("compute.create", errs.NotImplemented, "%s is not offered by this cloud.", what)
	}
	if len(s.Personality) > 0 {
		return not("Injecting files (personality)")
	}
	if s.ConfigDrive == true || s.ConfigDrive == "True" || s.ConfigDrive == "true" {
		return not("A config drive")
	}
	for _, g := range s.SecurityGroups {
		if g.Name != "default" {
			return invalid("Security group %s not found for project %s.", g.Name, c.Caller.ProjectID())
		}
	}
	for _, b := range s.BlockDevices {
		if b.Source != "image" || b.Destination != "local" || b.UUID != s.ImageRef {
			return not("Booting from volumes, or further disks (block_device_mapping_v2),")
		}
	}
	if s.Description != nil && !c.Version.AtLeast(19) {
		return badInput("server", "description", "Additional properties are not allowed ('description' was unexpected)")
	}
	return nil
}

func wantedFlavor(c *rest.Call, ref any) (*model.Flavor, error) {
	id := fmt.Sprint(ref)
	if n, ok := ref.(float64); ok {
		id = fmt.Sprintf("%.0f", n)
	}
	f := c.View.Flavor(model.FlavorID(path.Base(id)))
	if f == nil || f.Private && !c.Caller.Admin() {
		return nil, invalid("Flavor %s could not be found.", shorten(id))
	}
	return f, nil
}

func wantedImage(c *rest.Call, id string, f *model.Flavor) (*model.Image, error) {
	if id == "" {
		return nil, invalid("Missing imageRef attribute")
	}
	img := c.View.Image(model.ImageID(id))
	if img == nil || img.ProjectID != c.Caller.ProjectID() && img.Visibility != "public" && img.Visibility != "community" && !c.Caller.Admin() {
		return nil, invalid("Can not find requested image")
	}
	if img.Status != model.ImageActive {
		return nil, invalid("Image %s is not active.", id)
	}
	if img.MinRAM > f.RAM {
		return nil, invalid("Flavor's memory is too small for requested image.")
	}
	need := max(int64(img.MinDisk)<<30, img.VirtualSize)
	if f.Disk > 0 && need > int64(f.Disk)<<30 {
		return nil, invalid("Flavor's disk is too small for requested image. Flavor disk is %d bytes, image is %d bytes.", int64(f.Disk)<<30, need)
	}
	return img, nil
}

func counts(least, most *number) (int, error) {
	lo := number(1)
	if least != nil {
		lo = *least
	}
	hi := lo
	if most != nil {
		hi = *most
	}
	if lo < 1 {
		return 0, badInput("min_count", lo, "It must be at least 1")
	}
	if hi < 1 || hi > maxServers {
		return 0, badInput("max_count", hi, fmt.Sprintf("It must be from 1 to %d", maxServers))
	}
	if lo > hi {
		return 0, invalid("min_count must be <= max_count")
	}
	return int(hi), nil
}

func wantedZone(c *rest.Call, zone string, cmd *command.ServerCreate) error {
	name, host, forced := strings.Cut(zone, ":")
	if forced {
		if !c.Caller.Admin() {
			return errs.Errorf("compute.create", errs.Forbidden, "Policy doesn't allow os_compute_api:servers:create:forced_host to be performed.")
		}
		host, _, _ = strings.Cut(host, ":")
		if c.View.HostNamed(host) == nil {
			return invalid("Compute host %s could not be found.", shorten(host))
		}
	}
	if name != "" {
		known := false
		for h := range c.View.Hosts() {
			known = known || h.Zone == name
		}
		if !known && name != "nova" {
			return invalid("The requested availability zone is not available")
		}
	}
	cmd.WantZone, cmd.WantHost = name, host
	return nil
}

func wantedKey(c *rest.Call, name *string, cmd *command.ServerCreate) error {
	if name == nil {
		return nil
	}
	k := c.View.KeyPair(c.Caller.User.ID, *name)
	if k == nil {
		return invalid("Invalid key_name provided.")
	}
	cmd.KeyName, cmd.KeyType, cmd.PublicKey = k.Name, k.Type, k.PublicKey
	return nil
}

// userData checks, decodes and seals user data.
func (d *Door) userData(text *string) ([]byte, error) {
	if text == nil || *text == "" {
		return nil, nil
	}
	if len(*text) > maxUserData {
		return nil, badInput("user_data", "...", fmt.Sprintf("It is longer than %d characters", maxUserData))
	}
	b, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(*text))
	if err != nil {
		return nil, badInput("user_data", shorten(*text), "It is not a 'base64'")
	}
	return d.Seal(b)
}

// wantedNetworks resolves the networks of a create. Without any named, it is
// the only one that the project can use; none if there is none.
func wantedNetworks(c *rest.Call, in []networkIn, count int) ([]command.ServerNIC, error) {
	if len(in) == 0 {
		return onlyNetwork(c)
	}
	var out []command.ServerNIC
	for _, n := range in {
		if n.Port != "" {
			if n.FixedIP != "" {
				return nil, invalid("Specified Fixed IP '%s' cannot be used with port '%s': the two cannot be specified together.", n.FixedIP, n.Port)
			}
			if count > 1 {
				return nil, invalid("Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.")
			}
			p := c.View.Port(model.PortID(n.Port))
			if p == nil || p.ProjectID != c.Caller.ProjectID() && !c.Caller.Admin() {
				return nil, invalid("Port id %s could not be found.", shorten(n.Port))
			}
			out = append(out, command.ServerNIC{Existing: p.ID})
			continue
		}
		net := c.View.Network(model.NetworkID(n.UUID))
		if net == nil || net.ProjectID != c.Caller.ProjectID() && !net.Shared && !c.Caller.Admin() {
			return nil, invalid("Network %s could not be found.", shorten(n.UUID))
		}
		if n.FixedIP != "" && count > 1 {
			return nil, invalid("max_count cannot be greater than 1 if an fixed_ip is specified.")
		}
		out = append(out, command.ServerNIC{NetworkID: net.ID, FixedIP: n.FixedIP})
	}
	return out, nil
}

func onlyNetwork(c *rest.Call) ([]command.ServerNIC, error) {
	var usable []model.NetworkID
	for n := range c.View.Networks() {
		if !n.External && (n.Shared || n.ProjectID == c.Caller.ProjectID()) {
			usable = append(usable, n.ID)
		}
	}
	switch len(usable) {
	case 0:
		return nil, nil
	case 1:
		return []command.ServerNIC{{NetworkID: usable[0]}}, nil
	}
	return nil, errs.Errorf("compute.create", errs.Conflict, "Multiple possible networks found, use a Network ID to be more specific.")
}

var unfit = regexp.MustCompile(`[^a-z0-9.-]`)

// hostname makes a host name of a server's name.
func hostname(name, id string) string {
	s := strings.ToLower(strings.NewReplacer(" ", "-", "_", "-", ".", "-").Replace(name))
	s = unfit.ReplaceAllString(s, "")
	s = strings.Trim(s[:min(len(s), 63)], ".-")
	if s == "" {
		return "server-" + id
	}
	return s
}
