package image

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// readOnly are the attributes that only the service sets.
var readOnly = map[string]bool{"id": true, "status": true, "checksum": true, "os_hash_algo": true, "os_hash_value": true, "owner": true,
	"size": true, "virtual_size": true, "created_at": true, "updated_at": true, "self": true, "file": true, "schema": true, "locations": true, "direct_url": true}

// draft is an image's settable attributes, by name, as JSON gave them.
type draft map[string]any

func (d draft) str(name string) (string, error) {
	switch v := d[name].(type) {
	case nil:
		return "", nil
	case string:
		return v, model.CheckText(name, v, model.MaxName)
	}
	return "", fmt.Errorf("'%s' must be a string", name)
}

func (d draft) num(name string) (int, error) {
	v, ok := d[name].(float64)
	if d[name] != nil && (!ok || v < 0 || v != float64(int32(v))) {
		return 0, fmt.Errorf("'%s' must be an integer of at least 0", name)
	}
	return int(v), nil
}

func (d draft) flag(name string) (bool, error) {
	v, ok := d[name].(bool)
	if d[name] != nil && !ok {
		return false, fmt.Errorf("'%s' must be true or false", name)
	}
	return v, nil
}

// image reads a draft into a record; every name that is no attribute is a
// property.
func (d draft) image() (*model.Image, error) {
	i := &model.Image{Properties: map[string]string{}}
	var err error
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	var e error
	i.Name, e = d.str("name")
	keep(e)
	i.Visibility, e = d.str("visibility")
	keep(e)
	i.DiskFormat, e = d.str("disk_format")
	keep(e)
	i.ContainerFormat, e = d.str("container_format")
	keep(e)
	i.MinDisk, e = d.num("min_disk")
	keep(e)
	i.MinRAM, e = d.num("min_ram")
	keep(e)
	i.Protected, e = d.flag("protected")
	keep(e)
	i.Hidden, e = d.flag("os_hidden")
	keep(e)
	for name, v := range d {
		switch name {
		case "name", "visibility", "disk_format", "container_format", "min_disk", "min_ram", "protected", "os_hidden":
		case "tags":
			list, ok := v.([]any)
			if !ok {
				return nil, fmt.Errorf("'tags' must be a list")
			}
			for _, t := range list {
				s, ok := t.(string)
				if !ok {
					return nil, fmt.Errorf("a tag must be a string")
				}
				i.Tags = append(i.Tags, s)
			}
		default:
			s, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("the property '%s' must be a string", name)
			}
			i.Properties[name] = s
		}
	}
	return i, err
}

func (d *Door) create(c *rest.Call) (rest.Answer, error) {
	var in draft
	if err := c.Decode(&in, false); err != nil {
		return rest.Answer{}, err
	}
	id, project := c.UUID(), c.Caller.ProjectID()
	if own, ok := in["id"].(string); ok {
		if !model.IsUUID(own) {
			return rest.Answer{}, invalid("'id' must be a UUID")
		}
		id = own
	}
	if owner, ok := in["owner"].(string); ok && c.Caller.Admin() {
		project = model.ProjectID(owner)
	}
	delete(in, "id")
	delete(in, "owner")
	for name := range in {
		if readOnly[name] {
			return rest.Answer{}, errs.Errorf("image.create", errs.Forbidden, "Attribute '%s' is read-only.", name)
		}
	}
	i, err := in.image()
	if err != nil {
		return rest.Answer{}, invalid("%s", err)
	}
	if i.Visibility == "" {
		i.Visibility = "shared"
	}
	cmd := &command.ImageCreate{ID: model.ImageID(id), ProjectID: project, Name: i.Name, Visibility: i.Visibility, Protected: i.Protected, Hidden: i.Hidden,
		DiskFormat: i.DiskFormat, ContainerFormat: i.ContainerFormat, MinDisk: i.MinDisk, MinRAM: i.MinRAM, Tags: i.Tags, Properties: i.Properties}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusCreated, render(c.View.Image(cmd.ID))).With("Location", c.Endpoint+"/v2/images/"+id), nil
}

// patch changes an image by a JSON patch (Image API v2, "Update image").
func (d *Door) patch(c *rest.Call) (rest.Answer, error) {
	if !strings.HasPrefix(c.Request.Header.Get("Content-Type"), "application/openstack-images-v2.1-json-patch") {
		return rest.Answer{}, errs.Errorf("image.patch", errs.Unsupported, "Use the media type application/openstack-images-v2.1-json-patch.")
	}
	var ops []struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	}
	if err := c.Decode(&ops, false); err != nil {
		return rest.Answer{}, err
	}
	old, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	shown := draft(render(old))
	shown["tags"] = anyTags(old.Tags)
	for _, op := range ops {
		name, ok := strings.CutPrefix(op.Path, "/")
		if !ok || name == "" || strings.Contains(name, "/") {
			return rest.Answer{}, invalid("The path '%s' is not one attribute.", op.Path)
		}
		if readOnly[name] {
			return rest.Answer{}, errs.Errorf("image.patch", errs.Forbidden, "Attribute '%s' is read-only.", name)
		}
		if _, there := shown[name]; op.Op != "add" && !there {
			return rest.Answer{}, errs.Errorf("image.patch", errs.Conflict, "Property %s does not exist.", name)
		}
		switch op.Op {
		case "add", "replace":
			var v any
			if err := json.Unmarshal(op.Value, &v); err != nil {
				return rest.Answer{}, invalid("The value of '%s' is not JSON.", name)
			}
			shown[name] = v
		case "remove":
			delete(shown, name)
		default:
			return rest.Answer{}, invalid("The operation '%s' is none of add, replace, remove.", op.Op)
		}
	}
	for name := range readOnly {
		delete(shown, name)
	}
	for _, name := range []string{"min_ram", "min_disk"} {
		if n, ok := shown[name].(int); ok {
			shown[name] = float64(n)
		}
	}
	i, err := shown.image()
	if err != nil {
		return rest.Answer{}, invalid("%s", err)
	}
	cmd := &command.ImageUpdate{ID: old.ID, IfUpdatedAt: old.UpdatedAt, Name: &i.Name, Visibility: &i.Visibility, Protected: &i.Protected, Hidden: &i.Hidden,
		DiskFormat: &i.DiskFormat, ContainerFormat: &i.ContainerFormat, MinDisk: &i.MinDisk, MinRAM: &i.MinRAM, Tags: &i.Tags, Properties: &i.Properties}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, render(c.View.Image(old.ID))), nil
}

func anyTags(tags []string) []any {
	out := []any{}
	for _, t := range tags {
		out = append(out, t)
	}
	return out
}

func (d *Door) delete(c *rest.Call) (rest.Answer, error) {
	i, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.ImageDelete{ID: i.ID}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), d.drop(c, i.SHA256)
}

// drop removes bytes that no image has any more.
func (d *Door) drop(c *rest.Call, sha256 string) error {
	if sha256 == "" {
		return nil
	}
	for range c.View.ImagesWithBytes(sha256) {
		return nil
	}
	return d.Store.Delete(sha256)
}
