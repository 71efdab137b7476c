package metadata

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// node is a value or a directory of the EC2 tree.
type node struct {
	value any             // string, int, []string or []byte; unused in a directory
	dir   map[string]node // not nil: a directory
	label string          // what the parent's listing prints in place of the name; only key indexes have one
}

// text is what a guest reads: a value, the lines of a list, or the sorted listing of a directory. Without a final
// newline, because cloud-init and shell scripts take each line for a name.
func (n node) text() []byte {
	if n.dir != nil {
		return n.listing()
	}
	switch v := n.value.(type) {
	case []byte:
		return v
	case []string:
		return []byte(strings.Join(v, "\n"))
	case int:
		return []byte(strconv.Itoa(v))
	case string:
		return []byte(v)
	default:
		return nil
	}
}

func (n node) listing() []byte {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(n.dir)) {
		child := n.dir[name]
		switch {
		case child.label != "":
			lines = append(lines, child.label)
		case child.dir != nil:
			lines = append(lines, name+"/")
		default:
			lines = append(lines, name)
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// plain is the node as JSON values, for the config drive's meta-data.json. Labels don't appear there.
func (n node) plain() any {
	if n.dir == nil {
		return n.value
	}
	out := make(map[string]any, len(n.dir))
	// any order: a map is made, and encoded with its keys sorted
	for name, child := range n.dir {
		out[name] = child.plain()
	}
	return out
}

// ec2Tree is what one version shows: meta-data and, only when there is some, user-data.
func ec2Tree(rec Record, version string) node {
	root := map[string]node{"meta-data": {dir: ec2MetaData(rec, version)}}
	if rec.UserData != nil {
		root["user-data"] = node{value: rec.UserData}
	}
	return node{dir: root}
}

// ec2MetaData holds the keys of legacy spec 2.2. ami-manifest-path has had the value FIXME since the first release;
// images here have no manifest, and clients that compare trees expect the word.
func ec2MetaData(rec Record, version string) map[string]node {
	since := func(v string) bool { return reaches(ec2Versions, version, v) }
	d := map[string]node{
		"ami-id":            {value: ec2ID("ami", rec.ImageNum)},
		"ami-launch-index":  {value: rec.LaunchIndex},
		"ami-manifest-path": {value: "FIXME"},
		"hostname":          {value: rec.fqdn()},
		"instance-id":       {value: ec2ID("i", rec.Num)},
		"local-ipv4":        {value: rec.localIPv4()},
		"reservation-id":    {value: rec.ReservationID},
		"security-groups":   {value: append([]string{}, rec.SecurityGroups...)},
	}
	if len(rec.Keys) > 0 {
		d["public-keys"] = node{dir: ec2Keys(rec.Keys)}
	}
	if since("2007-01-19") {
		d["local-hostname"] = node{value: rec.fqdn()}
		d["public-hostname"] = node{value: rec.fqdn()}
		d["public-ipv4"] = node{value: addrText(rec.PublicIPv4)}
	}
	if since("2007-08-29") {
		d["instance-type"] = node{value: rec.FlavorName}
	}
	if since("2007-12-15") {
		d["block-device-mapping"] = node{dir: ec2Devices(rec.BlockDevices)}
		if rec.KernelNum != 0 {
			d["kernel-id"] = node{value: ec2ID("aki", rec.KernelNum)}
		}
		if rec.RamdiskNum != 0 {
			d["ramdisk-id"] = node{value: ec2ID("ari", rec.RamdiskNum)}
		}
	}
	if since("2008-02-01") {
		d["placement"] = node{dir: map[string]node{"availability-zone": {value: rec.Zone}}}
	}
	if since("2008-09-01") {
		d["instance-action"] = node{value: "none"}
	}
	return d
}

// ec2Keys lists each key as "N=name"; a client that knows the form asks for N/openssh-key.
func ec2Keys(keys []Key) map[string]node {
	d := make(map[string]node, len(keys))
	for i, k := range keys {
		index := strconv.Itoa(i)
		d[index] = node{
			dir:   map[string]node{"openssh-key": {value: k.PublicKey}},
			label: index + "=" + k.Name,
		}
	}
	return d
}

func ec2Devices(devices map[string]string) map[string]node {
	if devices == nil {
		devices = map[string]string{"ami": "sda1", "root": "/dev/sda1", "ephemeral0": "sda2", "swap": "sda3"}
	}
	d := make(map[string]node, len(devices))
	// any order: a map is made, and shown with its keys sorted
	for name, device := range devices {
		d[name] = node{value: device}
	}
	return d
}

func ec2ID(kind string, num uint64) string { return fmt.Sprintf("%s-%08x", kind, num) }
