package compute

import (
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// newUUID gives a new id at each call: the only chance that decide functions
// know.
type newUUID func() string

// decideCreate is the command that makes the servers which are asked for,
// without their user data. Apply checks again whatever may change.
func decideCreate(v state.View, who rest.Caller, in createIn, id newUUID) (*command.ServerCreate, error) {
	s := in.Server
	if err := refuseUnoffered(in); err != nil {
		return nil, err
	}
	if len(s.Metadata) > maxMetadata {
		return nil, errs.Errorf("compute.create", errs.Quota, "Maximum number of metadata items exceeds %d", maxMetadata)
	}
	f, err := wantedFlavor(v, who, string(s.FlavorRef))
	if err != nil {
		return nil, err
	}
	img, err := wantedImage(v, who, s, f)
	if err != nil {
		return nil, err
	}
	cmd := &command.ServerCreate{ProjectID: who.ProjectID(), UserID: who.User.ID, ImageID: img.ID, ReservationID: "r-" + id()[:8],
		Size: model.Size{FlavorID: f.ID, FlavorName: f.Name, VCPUs: f.VCPUs, RAM: f.RAM, Disk: f.Disk, Ephemeral: f.Ephemeral, Swap: f.Swap,
			ExtraSpecs: f.ExtraSpecs},
		Metadata: s.Metadata, Tags: tagSet(s.Tags), DiskManual: s.DiskConfig == "MANUAL",
		AccessIPv4: s.AccessIPv4, AccessIPv6: s.AccessIPv6, Description: s.Description}
	if err := wantedPlace(v, who, s, cmd); err != nil {
		return nil, err
	}
	if err := wantedKey(v, who, s.KeyName, cmd); err != nil {
		return nil, err
	}
	count, err := wantedCount(v, who, s, cmd.Size)
	if err != nil {
		return nil, err
	}
	nics, err := wantedNICs(v, who, s.Networks, max(count, maxOf(s)))
	if err != nil {
		return nil, err
	}
	macs := macSource{v, id, map[string]bool{}}
	for i := range count {
		item := newItem(s, i, count, id)
		for _, n := range nics {
			if n.Existing == "" {
				n.PortID, n.MAC = model.PortID(id()), macs.next(n.NetworkID)
			}
			item.NICs = append(item.NICs, n)
		}
		cmd.Items = append(cmd.Items, item)
	}
	return cmd, nil
}

// newItem is one of count servers of a request, without its plugs; with more
// than one each has a number.
func newItem(s serverIn, i, count int, id newUUID) command.ServerItem {
	suffix := ""
	if count > 1 {
		suffix = fmt.Sprintf("-%d", i+1)
	}
	name := []rune(s.Name)
	item := command.ServerItem{ID: model.ServerID(id()), Name: string(name[:min(len(name), model.MaxName-len(suffix))]) + suffix}
	item.Hostname = hostname(item.Name, string(item.ID))
	if s.Hostname != "" {
		item.Hostname = s.Hostname[:min(len(s.Hostname), 63-len(suffix))] + suffix
	}
	return item
}

// macSource makes MACs of the range that clouds use, each once.
type macSource struct {
	v     state.View
	id    newUUID
	given map[string]bool
}

// next makes one that is free on the network: with 24 bits, chance alone meets
// a taken one soon. After 64 tries it leaves the refusal to Apply.
func (m macSource) next(n model.NetworkID) (mac string) {
	for range 64 {
		u := m.id()
		mac = "fa:16:3e:" + u[0:2] + ":" + u[2:4] + ":" + u[4:6]
		if m.v.PortWithMAC(n, mac) == nil && !m.given[mac] {
			break
		}
	}
	m.given[mac] = true
	return mac
}

// refuseUnoffered refuses what the API has and this cloud has not.
func refuseUnoffered(in createIn) error {
	s := in.Server
	not := func(what string) error { return invalid("%s not offered by this cloud.", what) }
	if len(s.Personality) > 0 {
		return not("Injecting files (personality) is")
	}
	if s.ConfigDrive {
		return not("A config drive (config_drive) is")
	}
	if len(s.Certificates) > 0 {
		return not("Checking images by trusted_image_certificates is")
	}
	for hint := range in.Hints {
		return not(fmt.Sprintf("The scheduler hint '%s' is", shorten(hint)))
	}
	for hint := range in.Hints2 {
		return not(fmt.Sprintf("The scheduler hint '%s' is", shorten(hint)))
	}
	if len(s.SecurityGroups) > 0 {
		return not("Security groups (security_groups) are")
	}
	if len(s.OldBlocks) > 0 {
		return not("Booting from volumes (block_device_mapping) is")
	}
	for _, b := range s.Blocks {
		if !plainBlock(b, s.ImageRef) || len(s.Blocks) > 1 {
			return not("Volumes and further disks (block_device_mapping_v2) are")
		}
	}
	return nil
}

// plainBlock tells whether a block device is nothing but the image's own disk.
func plainBlock(b map[string]any, image string) bool {
	for k, x := range b {
		switch text := fmt.Sprint(x); k {
		case "source_type":
			if x != "image" {
				return false
			}
		case "destination_type":
			if x != "local" {
				return false
			}
		case "uuid":
			if x != image && image != "" {
				return false
			}
		case "boot_index":
			if text != "0" {
				return false
			}
		case "delete_on_termination":
			// Only volumes can stay: a local disk goes with its server.
		default:
			if x != nil && x != "" {
				return false
			}
		}
	}
	return b["source_type"] == "image" && b["destination_type"] == "local" && b["uuid"] != nil && b["boot_index"] != nil
}

func wantedFlavor(v state.View, who rest.Caller, ref string) (*model.Flavor, error) {
	f := v.Flavor(model.FlavorID(path.Base(ref)))
	if f == nil || !f.UsableBy(who.ProjectID()) && !who.Admin() {
		return nil, invalid("Flavor %s could not be found.", shorten(ref))
	}
	if spec := unofferedSpec(f); spec != "" {
		return nil, invalid("Flavor %s asks by an extra spec for %s, which is not offered by this cloud.", f.ID, shorten(spec))
	}
	return f, nil
}

func wantedImage(v state.View, who rest.Caller, s serverIn, f *model.Flavor) (*model.Image, error) {
	ref := strings.ToLower(s.ImageRef)
	if ref == "" && len(s.Blocks) == 1 {
		ref, _ = s.Blocks[0]["uuid"].(string)
	}
	if ref == "" {
		return nil, invalid("Missing imageRef attribute")
	}
	img := v.Image(model.ImageID(ref))
	if img == nil || img.ProjectID != who.ProjectID() && img.Visibility != "public" && img.Visibility != "community" && !who.Admin() {
		return nil, invalid("Can not find requested image")
	}
	if img.Status != model.ImageActive {
		return nil, invalid("Image %s is not active.", ref)
	}
	if img.MinRAM > f.RAM {
		return nil, invalid("Flavor's memory is too small for requested image.")
	}
	disk := int64(f.Disk) << 30
	if f.Disk > 0 && img.VirtualSize > disk {
		return nil, invalid("Flavor's disk is too small for requested image. Flavor disk is %d bytes, image is %d bytes.", disk, img.VirtualSize)
	}
	if f.Disk > 0 && img.MinDisk > f.Disk {
		return nil, invalid("The flavor's disk of %d GiB is smaller than the minimum of %d GiB that image %s asks for.", f.Disk, img.MinDisk, img.ID)
	}
	return img, nil
}

// maxOf is the most servers that are asked for.
func maxOf(s serverIn) int {
	n := number(1)
	if s.Min != nil {
		n = *s.Min
	}
	if s.Max != nil {
		n = *s.Max
	}
	return int(n)
}

// wantedCount is how many servers are made: as many as the quota has room for,
// from min_count to max_count.
func wantedCount(v state.View, who rest.Caller, s serverIn, size model.Size) (int, error) {
	least, most := 1, maxOf(s)
	if s.Min != nil {
		least = int(*s.Min)
	}
	if least > most {
		return 0, invalid("min_count must be <= max_count")
	}
	if most > maxServers {
		return 0, badInput("max_count", fmt.Sprint(most), fmt.Sprintf("%d is greater than the maximum of %d", most, maxServers))
	}
	full := v.CheckCharge(who.ProjectID(), state.SizeCharge(size, most)...)
	for n := most; n >= least; n-- {
		if v.CheckCharge(who.ProjectID(), state.SizeCharge(size, n)...) == nil {
			return n, nil
		}
	}
	return 0, full
}

// wantedPlace reads availability_zone ("zone", or "zone:host" and
// "zone:host:node" of administrators), host and hypervisor_hostname.
func wantedPlace(v state.View, who rest.Caller, s serverIn, cmd *command.ServerCreate) error {
	zone, host, forced := strings.Cut(s.Zone, ":")
	if forced {
		if !who.Admin() {
			return forbidden("servers:create:forced_host")
		}
		first, node, both := strings.Cut(host, ":")
		if host = first; both && first == "" {
			host = node
		}
	}
	if s.Host != "" || s.Node != "" {
		if !who.Admin() {
			return forbidden("compute:servers:create:requested_destination")
		}
		if forced || s.Host != "" && s.Node != "" && s.Host != s.Node {
			return invalid("Only one host can be asked for.")
		}
		if host = s.Host; host == "" {
			host = s.Node
		}
	}
	if host != "" {
		if v.HostNamed(host) == nil {
			return invalid("Compute host %s could not be found.", shorten(host))
		}
		cmd.WantHost = host
		if forced {
			return nil
		}
	}
	if zone != "" && !hasZone(v, zone) {
		return invalid("The requested availability zone is not available")
	}
	cmd.WantZone = zone
	return nil
}

func hasZone(v state.View, zone string) bool {
	for h := range v.Hosts() {
		if h.Zone == zone {
			return true
		}
	}
	return false
}

func wantedKey(v state.View, who rest.Caller, name string, cmd *command.ServerCreate) error {
	if name == "" {
		return nil
	}
	k := v.KeyPair(who.User.ID, name)
	if k == nil {
		return invalid("Invalid key_name provided.")
	}
	cmd.KeyName, cmd.KeyType, cmd.PublicKey = k.Name, k.Type, k.PublicKey
	return nil
}

func isIP(s string, version int) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == "" && a.Is4() == (version == 4)
}

// tagSet is a list of tags in order, each once; never nil.
func tagSet(tags []string) []string {
	out := append([]string{}, tags...)
	slices.Sort(out)
	return slices.Compact(out)
}

var (
	toDash   = regexp.MustCompile(`[ _.]`)
	noLetter = regexp.MustCompile(`[^a-z0-9-]+`)
)

// hostname makes a guest's name from a server's: what DNS cannot have is left
// out. A name that leaves nothing gives one of the server's id.
func hostname(name, id string) string {
	h := noLetter.ReplaceAllString(toDash.ReplaceAllString(strings.ToLower(name), "-"), "")
	h = strings.Trim(h[:min(len(h), 63)], "-")
	if h == "" {
		return "server-" + id
	}
	return h
}
