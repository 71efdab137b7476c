package compute

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// The bounds of a create.
const (
	maxServers  = 1000
	maxUserData = 65535 // of base64
	maxMetadata = 128
	maxTags     = 50
	maxNICs     = 64
)

var (
	metadataKey  = regexp.MustCompile(`^[a-zA-Z0-9_:. -]{1,255}$`)
	tagForm      = regexp.MustCompile(`^[^/,]*$`)
	hostnameForm = regexp.MustCompile(`^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$`)
)

// The rules of what create and update have in common.
var (
	tagRule      = text(1, 60, tagForm)
	hostnameRule = text(2, 63, hostnameForm)
)

// metadataRule is a map of texts; how many there may be is the limit's to say.
func metadataRule(name string, v any, at rest.Version) error {
	m, ok := v.(map[string]any)
	if !ok {
		return wrongType(name, v, "object")
	}
	for k, x := range m {
		if !metadataKey.MatchString(k) {
			return badInput(name, v, "'"+shorten(k)+"' does not match any of the regexes: '"+metadataKey.String()+"'")
		}
		if err := printable(model.MaxName)(k, x, at); err != nil {
			return err
		}
	}
	return nil
}

// ip is an address of a version, or empty.
func ip(version int) rule {
	return func(name string, v any, _ rest.Version) error {
		s, ok := v.(string)
		if !ok {
			return wrongType(name, v, "string")
		}
		if s != "" && !isIP(s, version) {
			return badInput(name, v, quoted(s)+either(version == 4, " is not a 'ipv4'", " is not a 'ipv6'"))
		}
		return nil
	}
}

// serverFields are what create and update have in common.
var serverFields = []field{
	has("OS-DCF:diskConfig", oneOf("AUTO", "MANUAL")),
	has("accessIPv4", ip(4)),
	has("accessIPv6", ip(6)),
	has("description", nullable(printable(model.MaxName))).from(19),
	has("hostname", hostnameRule).from(90),
}

var networksRule = list(maxNICs, record(
	has("uuid", nullable(text(0, model.MaxName, nil))),
	has("port", nullable(isUUID)),
	has("fixed_ip", nullable(text(0, 64, nil))),
	has("tag", tagRule).from(32),
))

var hintsRule = nullable(func(name string, v any, _ rest.Version) error {
	if _, ok := v.(map[string]any); !ok {
		return wrongType(name, v, "object")
	}
	return nil
})

var createRule = record(
	has("server", record(append([]field{
		has("name", title).must(),
		has("flavorRef", anyOf(text(1, 1024, nil), integer(0, 1<<62))).must(),
		has("imageRef", text(0, model.MaxName, nil)),
		has("adminPass", text(0, model.MaxName, nil)),
		has("metadata", metadataRule),
		has("networks", nullable(networksRule)).until(36),
		has("networks", anyOf(networksRule, oneOf("auto", "none"))).from(37).mustFrom(37),
		has("personality", list(64, anything)).until(56),
		has("availability_zone", nullable(printable(model.MaxName))),
		has("block_device_mapping", list(64, anything)),
		has("block_device_mapping_v2", list(64, blockRule)),
		has("config_drive", nullable(boolish)),
		has("key_name", nullable(text(1, model.MaxName, nil))),
		has("min_count", integer(1, 1<<31)),
		has("max_count", integer(1, 1<<31)),
		has("return_reservation_id", boolish),
		has("security_groups", list(64, record(has("name", text(1, model.MaxName, nil)).must()))),
		has("user_data", nullable(text(0, maxUserData, nil))),
		has("tags", list(maxTags, tagRule)).from(52),
		has("trusted_image_certificates", nullable(list(50, anything))).from(63),
		has("host", text(1, model.MaxName, nil)).from(74),
		has("hypervisor_hostname", text(1, model.MaxName, nil)).from(74),
	}, serverFields...)...)).must(),
	has("os:scheduler_hints", hintsRule),
	has("OS-SCH-HNT:scheduler_hints", hintsRule),
)

var blockRule = func() rule {
	var fields []field
	for _, name := range []string{"source_type", "destination_type", "uuid", "boot_index", "delete_on_termination", "volume_size", "device_name",
		"disk_bus", "device_type", "guest_format", "image_id", "volume_id", "snapshot_id", "no_device", "virtual_name", "connection_info"} {
		fields = append(fields, has(name, anything))
	}
	return record(append(fields, has("tag", tagRule).from(32), has("volume_type", anything).from(67))...)
}()

// createIn is the body of POST /servers.
type createIn struct {
	Server serverIn       `json:"server"`
	Hints  map[string]any `json:"os:scheduler_hints"`
	Hints2 map[string]any `json:"OS-SCH-HNT:scheduler_hints"`
}

type serverIn struct {
	Name           string            `json:"name"`
	ImageRef       string            `json:"imageRef"`
	FlavorRef      word              `json:"flavorRef"`
	Metadata       map[string]string `json:"metadata"`
	Networks       networksIn        `json:"networks"`
	DiskConfig     string            `json:"OS-DCF:diskConfig"`
	AccessIPv4     string            `json:"accessIPv4"`
	AccessIPv6     string            `json:"accessIPv6"`
	Personality    []any             `json:"personality"`
	Zone           string            `json:"availability_zone"`
	OldBlocks      []any             `json:"block_device_mapping"`
	Blocks         []map[string]any  `json:"block_device_mapping_v2"`
	ConfigDrive    truth             `json:"config_drive"`
	KeyName        string            `json:"key_name"`
	Min            *number           `json:"min_count"`
	Max            *number           `json:"max_count"`
	Reservation    truth             `json:"return_reservation_id"`
	SecurityGroups []groupIn         `json:"security_groups"`
	UserData       string            `json:"user_data"`
	Description    *string           `json:"description"`
	Tags           []string          `json:"tags"`
	Certificates   []any             `json:"trusted_image_certificates"`
	Host           string            `json:"host"`
	Node           string            `json:"hypervisor_hostname"`
	Hostname       string            `json:"hostname"`
}

type groupIn struct {
	Name string `json:"name"`
}

func (d *Door) createServer(c *rest.Call) (rest.Answer, error) {
	var in createIn
	if err := parse(c, createRule, &in); err != nil {
		return rest.Answer{}, err
	}
	if !c.Version.AtLeast(19) {
		in.Server.Description = &in.Server.Name
	}
	userData, err := decodeUserData(in.Server.UserData)
	if err != nil {
		return rest.Answer{}, err
	}
	cmd, err := decideCreate(c.View, c.Caller, in, c.UUID)
	if err != nil {
		return rest.Answer{}, err
	}
	if len(userData) > 0 {
		if cmd.UserData, err = d.Seal(userData); err != nil {
			return rest.Answer{}, err
		}
	}
	ids, err := c.Do(cmd)
	if err != nil {
		return rest.Answer{}, err
	}
	return created(c, in.Server, cmd, ids[0]), nil
}

// created is the answer to a create: the first server of the request, or the
// number of its reservation. As in show, no security groups are named: there
// are none.
func created(c *rest.Call, in serverIn, cmd *command.ServerCreate, id string) rest.Answer {
	self := links(c, "servers", id)
	if in.Reservation {
		return rest.JSON(http.StatusAccepted, object{"reservation_id": cmd.ReservationID})
	}
	// The API promises the groups here: there are none, and the key is there.
	return rest.JSON(http.StatusAccepted, object{"server": object{"id": id, "links": self, "security_groups": []object{},
		"OS-DCF:diskConfig": either(cmd.DiskManual, "MANUAL", "AUTO")}}).
		With("Location", self[0]["href"].(string))
}

// decodeUserData gives the bytes of user data.
func decodeUserData(text string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(text))
	if err != nil {
		return nil, badInput("user_data", text, quoted(text)+" is not a 'base64'")
	}
	return b, nil
}
