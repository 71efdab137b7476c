package image

import (
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// The media types of a patch (Image API v2, "Update image"): the newer one is
// RFC 6902's form, the older one its draft's.
const (
	patchType    = "application/openstack-images-v2.1-json-patch"
	oldPatchType = "application/openstack-images-v2.0-json-patch"
)

// operations are what a step may do.
var operations = []string{"add", "replace", "remove"}

// change is one step of a patch.
type change struct {
	op, name string
	value    json.RawMessage
}

func patchImage(c *rest.Call) (rest.Answer, error) {
	changes, err := parsePatch(c)
	if err != nil {
		return rest.Answer{}, err
	}
	old, err := findOwn(c.View, c.Caller, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	cmd, err := decidePatch(old, changes)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return shown(c, http.StatusOK, old.ID)
}

// parsePatch reads a patch of either media type; errs.Unsupported for any
// other.
func parsePatch(c *rest.Call) ([]change, error) {
	media, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || media != patchType && media != oldPatchType {
		return nil, errs.Errorf("image.patch", errs.Unsupported, "Use one of the media types %s, %s.", patchType, oldPatchType)
	}
	var steps []map[string]json.RawMessage
	if err := c.Decode(&steps, false); err != nil {
		return nil, err
	}
	var out []change
	for _, step := range steps {
		ch, path, err := parseStep(step, media == oldPatchType)
		if err != nil {
			return nil, err
		}
		name, ok := strings.CutPrefix(path, "/")
		if !ok || name == "" || strings.Contains(name, "/") {
			return nil, invalid("The path '%.64s' is not one attribute.", path)
		}
		ch.name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		out = append(out, ch)
	}
	return out, nil
}

// parseStep reads {"op":"add","path":"/x","value":1}, or {"add":"/x","value":1}
// in the older form.
func parseStep(step map[string]json.RawMessage, old bool) (ch change, path string, err error) {
	ch.value = step["value"]
	if !old {
		if json.Unmarshal(step["op"], &ch.op) != nil || json.Unmarshal(step["path"], &path) != nil {
			return ch, "", invalid("Each step of a patch has an 'op' and a 'path'.")
		}
		if !slices.Contains(operations, ch.op) {
			return ch, "", invalid("The operation '%.64s' is none of %s.", ch.op, strings.Join(operations, ", "))
		}
		return ch, path, nil
	}
	for _, op := range operations {
		raw, there := step[op]
		if !there {
			continue
		}
		if ch.op != "" || json.Unmarshal(raw, &path) != nil {
			return ch, "", invalid("Operation objects must contain exactly one of add, replace, remove, with a path.")
		}
		ch.op = op
	}
	return ch, path, nil
}

// decidePatch carries a patch out on what the image is now. The command holds
// only as long as the image stays that.
func decidePatch(old *model.Image, changes []change) (*command.ImageUpdate, error) {
	now := settable(old)
	for _, ch := range changes {
		if err := now.apply(ch); err != nil {
			return nil, err
		}
	}
	i, err := now.image()
	if err != nil {
		return nil, err
	}
	return &command.ImageUpdate{ID: old.ID, IfUpdatedAt: old.UpdatedAt, Name: &i.Name, Visibility: &i.Visibility, Protected: &i.Protected,
		Hidden: &i.Hidden, DiskFormat: &i.DiskFormat, ContainerFormat: &i.ContainerFormat, MinDisk: &i.MinDisk, MinRAM: &i.MinRAM,
		Tags: &i.Tags, Properties: &i.Properties}, nil
}

func (d draft) apply(ch change) error {
	const op = "image.patch"
	if err := checkSettable(ch.name); err != nil {
		return err
	}
	if _, there := d[ch.name]; ch.op != "add" && !there {
		return errs.Errorf(op, errs.Conflict, "Property %.64s does not exist.", ch.name)
	}
	switch ch.op {
	case "add", "replace":
		var v any
		if json.Unmarshal(ch.value, &v) != nil {
			return invalid("The value of '%.64s' is missing.", ch.name)
		}
		d[ch.name] = v
	case "remove":
		if _, base := attributeNamed(ch.name); base {
			return errs.Errorf(op, errs.Forbidden, "Property %s may not be removed.", ch.name)
		}
		delete(d, ch.name)
	}
	return nil
}
