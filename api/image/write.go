package image

import (
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func create(c *rest.Call) (rest.Answer, error) {
	var in draft
	if err := c.Decode(&in, false); err != nil {
		return rest.Answer{}, err
	}
	cmd, err := decideCreate(c.Caller, in, c.UUID())
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	answer, err := shown(c, http.StatusCreated, cmd.ID)
	return answer.With("Location", c.Endpoint+"/v2/images/"+string(cmd.ID)), err
}

// decideCreate turns a new image's body into its command; id is used when the
// body names none.
func decideCreate(who rest.Caller, in draft, id string) (*command.ImageCreate, error) {
	if in == nil {
		return nil, invalid("Provided object does not match schema 'image': it is not an object")
	}
	if err := takeText(in, "id", &id); err != nil {
		return nil, err
	}
	if !model.IsUUID(id) {
		return nil, invalid("Provided object does not match schema 'image': 'id' must be a UUID in lower case")
	}
	owner := string(who.ProjectID())
	if err := takeText(in, "owner", &owner); err != nil {
		return nil, err
	}
	if owner != string(who.ProjectID()) && !who.Admin() {
		return nil, errs.Errorf("image.create", errs.Forbidden, "You are not permitted to create images owned by '%.64s'.", owner)
	}
	for name := range in {
		if err := checkSettable(name); err != nil {
			return nil, err
		}
	}
	i, err := in.image()
	if err != nil {
		return nil, err
	}
	if _, given := in["visibility"]; !given {
		i.Visibility = "shared"
	}
	return &command.ImageCreate{ID: model.ImageID(id), ProjectID: model.ProjectID(owner), Name: i.Name, Visibility: i.Visibility, Protected: i.Protected,
		Hidden: i.Hidden, DiskFormat: i.DiskFormat, ContainerFormat: i.ContainerFormat, MinDisk: i.MinDisk, MinRAM: i.MinRAM,
		Tags: i.Tags, Properties: i.Properties}, nil
}

// takeText takes a text out of a draft, if it is there.
func takeText(in draft, name string, to *string) error {
	v, there := in[name]
	if !there {
		return nil
	}
	s, ok := v.(string)
	if !ok {
		return invalid("Provided object does not match schema 'image': '%s' must be a string", name)
	}
	*to = s
	delete(in, name)
	return nil
}

func (d *Door) delete(c *rest.Call) (rest.Answer, error) {
	i, err := findOwn(c.View, c.Caller, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.ImageDelete{ID: i.ID}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), d.keep.drop(d.Store, c.View, i.SHA256)
}

// retag changes an image's tags. Who changed the image at the same moment wins
// over it: errs.Conflict.
func retag(c *rest.Call, i *model.Image, tags []string) (rest.Answer, error) {
	if _, err := c.Do(&command.ImageUpdate{ID: i.ID, IfUpdatedAt: i.UpdatedAt, Tags: &tags}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

func addTag(c *rest.Call) (rest.Answer, error) {
	i, err := findOwn(c.View, c.Caller, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	tag := c.Param("tag")
	if slices.Contains(i.Tags, tag) {
		return rest.Empty(http.StatusNoContent), nil
	}
	return retag(c, i, append(slices.Clone(i.Tags), tag))
}

func removeTag(c *rest.Call) (rest.Answer, error) {
	i, err := findOwn(c.View, c.Caller, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	tag := c.Param("tag")
	if !slices.Contains(i.Tags, tag) {
		return rest.Answer{}, errs.Errorf("image.tag", errs.NotFound, "Image %s has no tag %.64s.", i.ID, tag)
	}
	return retag(c, i, slices.DeleteFunc(slices.Clone(i.Tags), func(t string) bool { return t == tag }))
}
