package metadata

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// openstackFile is one file of /openstack/<version>/.
type openstackFile struct {
	name        string
	since       string // first version that has it; empty means all
	contentType string
	drive       bool // also on a config drive
	exists      func(Record) bool
	body        func(rec Record, version string) []byte
}

// openstackFiles in the order in which a listing names them. Source: legacy spec 2.1.
var openstackFiles = []openstackFile{
	{name: "meta_data.json", contentType: textJSON, drive: true, body: func(rec Record, v string) []byte {
		return encode(metaDataJSON(rec, v))
	}},
	{name: "user_data", contentType: textPlain, drive: true,
		exists: func(rec Record) bool { return rec.UserData != nil },
		body:   func(rec Record, _ string) []byte { return rec.UserData }},
	{name: "password", since: sincePassword, contentType: textPlain,
		body: func(rec Record, _ string) []byte { return []byte(rec.Password) }},
	{name: "vendor_data.json", since: sinceVendorData, contentType: textJSON, drive: true,
		body: func(rec Record, _ string) []byte { return encode(vendorData(rec)) }},
	{name: "network_data.json", since: sinceNetworkData, contentType: textJSON, drive: true,
		body: func(rec Record, _ string) []byte { return encode(networkDataJSON(rec.NICs)) }},
	{name: "vendor_data2.json", since: sinceVendorData2, contentType: textJSON, drive: true,
		body: func(rec Record, _ string) []byte {
			return encode(map[string]json.RawMessage{"static": vendorData(rec)})
		}},
}

func (f openstackFile) present(rec Record, version string) bool {
	if f.since != "" && !reaches(openstackVersions, version, f.since) {
		return false
	}
	return f.exists == nil || f.exists(rec)
}

// metaData is meta_data.json. Source: legacy spec 2.3.
type metaData struct {
	UUID             string            `json:"uuid"`
	Meta             map[string]string `json:"meta,omitempty"`
	Files            []contentRef      `json:"files,omitempty"`
	AdminPass        string            `json:"admin_pass,omitempty"`
	PublicKeys       map[string]string `json:"public_keys,omitempty"`
	Keys             []keyEntry        `json:"keys,omitempty"`
	Hostname         string            `json:"hostname"`
	Name             string            `json:"name"`
	LaunchIndex      int               `json:"launch_index"`
	AvailabilityZone string            `json:"availability_zone"`
	RandomSeed       string            `json:"random_seed,omitempty"`
	ProjectID        *string           `json:"project_id,omitempty"`
	Devices          *[]struct{}       `json:"devices,omitempty"`
	DedicatedCPUs    *[]int            `json:"dedicated_cpus,omitempty"`
}

type keyEntry struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Data string `json:"data"`
}

type contentRef struct {
	Path        string `json:"path"`
	ContentPath string `json:"content_path"`
}

func metaDataJSON(rec Record, version string) metaData {
	since := func(v string) bool { return reaches(openstackVersions, version, v) }
	md := metaData{
		UUID: rec.UUID, Meta: rec.Metadata,
		Hostname: rec.fqdn(), Name: rec.Name,
		LaunchIndex: rec.LaunchIndex, AvailabilityZone: rec.Zone,
	}
	for _, k := range rec.Keys {
		if md.PublicKeys == nil {
			md.PublicKeys = make(map[string]string, len(rec.Keys))
		}
		kind := k.Type
		if kind == "" {
			kind = "ssh"
		}
		md.PublicKeys[k.Name] = k.PublicKey
		md.Keys = append(md.Keys, keyEntry{Name: k.Name, Type: kind, Data: k.PublicKey})
	}
	if since(sincePassword) {
		md.RandomSeed = base64.StdEncoding.EncodeToString(rec.RandomSeed)
	}
	if since(sinceNetworkData) {
		md.ProjectID = &rec.ProjectID
	}
	if since(sinceDevices) {
		md.Devices = &[]struct{}{}
	}
	if since(sinceDedicated) {
		md.DedicatedCPUs = &[]int{}
	}
	return md
}

// vendorData is the operator's document. A malformed one must not break the guest's boot, and cloud-init takes only
// an object.
func vendorData(rec Record) json.RawMessage {
	doc := bytes.TrimSpace(rec.VendorData)
	if len(doc) == 0 || doc[0] != '{' || !json.Valid(doc) {
		return json.RawMessage("{}")
	}
	return doc
}

// encode writes JSON without a final newline and without escaping <, > and & (guests print these documents).
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Only strings, integers, maps of them and valid raw JSON come here, so this is a defect of this package.
		panic("metadata: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
