package image

import (
	"fmt"
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// newestMinor is the newest v2.x whose calls are served: 2.5 has community
// images; 2.6 would need import.
const newestMinor = 5

func versions(status int) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		var out []object
		for minor := newestMinor; minor >= 0; minor-- {
			word := "SUPPORTED"
			if minor == newestMinor {
				word = "CURRENT"
			}
			out = append(out, object{"id": fmt.Sprintf("v2.%d", minor), "status": word,
				"links": []object{{"rel": "self", "href": c.Endpoint + "/v2/"}}})
		}
		return rest.JSON(status, object{"versions": out}), nil
	}
}

// attribute is one field of an image that is not a property of its own.
type attribute struct {
	name, kind, text string
	// readOnly ones are set by the service only.
	readOnly bool
	nullable bool
	enum     []any
}

// attributes is the table that the schema and the rules for writing are made
// of.
var attributes = []attribute{
	{name: "id", kind: "string", text: "An identifier for the image", readOnly: true},
	{name: "name", kind: "string", text: "Descriptive name for the image", nullable: true},
	{name: "status", kind: "string", text: "Status of the image", readOnly: true, enum: []any{"queued", "active"}},
	{name: "visibility", kind: "string", text: "Scope of image accessibility", enum: []any{"community", "public", "private", "shared"}},
	{name: "protected", kind: "boolean", text: "If true, image will not be deletable."},
	{name: "os_hidden", kind: "boolean", text: "If true, image will not appear in default image list response."},
	{name: "checksum", kind: "string", text: "md5 hash of image contents.", readOnly: true, nullable: true},
	{name: "os_hash_algo", kind: "string", text: "Algorithm to calculate the os_hash_value", readOnly: true, nullable: true},
	{name: "os_hash_value", kind: "string", text: "Hexdigest of the image contents using the algorithm specified by the os_hash_algo", readOnly: true, nullable: true},
	{name: "owner", kind: "string", text: "Owner of the image", readOnly: true},
	{name: "size", kind: "integer", text: "Size of image file in bytes", readOnly: true, nullable: true},
	{name: "virtual_size", kind: "integer", text: "Virtual size of image in bytes", readOnly: true, nullable: true},
	{name: "container_format", kind: "string", text: "Format of the container", nullable: true,
		enum: []any{nil, "ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"}},
	{name: "disk_format", kind: "string", text: "Format of the disk", nullable: true,
		enum: []any{nil, "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"}},
	{name: "created_at", kind: "string", text: "Date and time of image registration", readOnly: true},
	{name: "updated_at", kind: "string", text: "Date and time of the last image modification", readOnly: true},
	{name: "tags", kind: "array", text: "List of strings related to the image"},
	{name: "min_ram", kind: "integer", text: "Amount of ram (in MB) required to boot image."},
	{name: "min_disk", kind: "integer", text: "Amount of disk space (in GB) required to boot image."},
	{name: "self", kind: "string", text: "An image self url", readOnly: true},
	{name: "file", kind: "string", text: "An image file url", readOnly: true},
	{name: "schema", kind: "string", text: "An image schema url", readOnly: true},
}

// attributeNamed finds a row of the table.
func attributeNamed(name string) (attribute, bool) {
	for _, a := range attributes {
		if a.name == name {
			return a, true
		}
	}
	return attribute{}, false
}

func imageSchema() object {
	props := object{}
	for _, a := range attributes {
		p := object{"type": a.kind, "description": a.text}
		if a.nullable {
			p["type"] = []string{"null", a.kind}
		}
		if a.readOnly {
			p["readOnly"] = true
		}
		if a.enum != nil {
			p["enum"] = a.enum
		}
		if a.kind == "array" {
			p["items"] = object{"type": "string", "maxLength": 255}
		}
		props[a.name] = p
	}
	return object{"name": "image", "properties": props, "additionalProperties": object{"type": "string"}, "links": []object{
		{"rel": "self", "href": "{self}"}, {"rel": "enclosure", "href": "{file}"}, {"rel": "describedby", "href": "{schema}"}}}
}

func schema(c *rest.Call) (rest.Answer, error) {
	text := object{"type": "string"}
	switch name := c.Param("name"); name {
	case "image":
		return rest.JSON(http.StatusOK, imageSchema()), nil
	case "images":
		return rest.JSON(http.StatusOK, object{"name": "images",
			"properties": object{"images": object{"type": "array", "items": imageSchema()}, "first": text, "next": text, "schema": text},
			"links":      []object{{"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"}, {"rel": "describedby", "href": "{schema}"}}}), nil
	default:
		return rest.Answer{}, errs.Errorf("image.schema", errs.NotFound, "There is no schema %.64s.", name)
	}
}

func importInfo(*rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"import-methods": object{
		"description": "Import methods available.", "type": "array", "value": []string{}}}), nil
}

// namespaces answers that no metadata is defined: the dashboard asks.
func namespaces(*rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"namespaces": []object{}, "first": "/v2/metadefs/namespaces",
		"schema": "/v2/schemas/metadefs/namespaces"}), nil
}
