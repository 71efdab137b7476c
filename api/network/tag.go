package network

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// tagged is a sort of thing that has tags: those of one that the caller sees.
type tagged struct {
	shape *shape
	tags  func(c *rest.Call, id string) ([]string, error)
}

var taggedThings = []tagged{
	{networkShape, func(c *rest.Call, id string) ([]string, error) {
		n, err := findNetwork(c.View, c.Caller, id)
		if err != nil {
			return nil, err
		}
		return n.Tags, nil
	}},
	{subnetShape, func(c *rest.Call, id string) ([]string, error) {
		s := c.View.Subnet(model.SubnetID(id))
		if !seesSubnet(c.View, c.Caller, s) {
			return nil, notFound("Subnet", id)
		}
		return s.Tags, nil
	}},
	{portShape, func(c *rest.Call, id string) ([]string, error) {
		p := c.View.Port(model.PortID(id))
		if p == nil || !owns(c.Caller, p.ProjectID) {
			return nil, notFound("Port", id)
		}
		return p.Tags, nil
	}},
	{routerShape, func(c *rest.Call, id string) ([]string, error) {
		r, err := findRouter(c.View, c.Caller, id)
		if err != nil {
			return nil, err
		}
		return r.Tags, nil
	}},
}

func (t tagged) routes() []rest.Route {
	all := "/v2.0/" + t.shape.many + "/{id}/tags"
	one := all + "/{tag}"
	return []rest.Route{
		{Name: "get_tags", Method: http.MethodGet, Path: all, Persona: rest.Reader, Handle: t.list},
		{Name: "update_tags", Method: http.MethodPut, Path: all, Persona: rest.Member, Handle: t.replace},
		{Name: "delete_tags", Method: http.MethodDelete, Path: all, Persona: rest.Member, Handle: t.clear},
		{Name: "get_tag", Method: http.MethodGet, Path: one, Persona: rest.Reader, Handle: t.show},
		{Name: "update_tag", Method: http.MethodPut, Path: one, Persona: rest.Member, Handle: t.add},
		{Name: "delete_tag", Method: http.MethodDelete, Path: one, Persona: rest.Member, Handle: t.remove},
	}
}

// tagList is a thing's tags, never null.
func tagList(tags []string) []string {
	if tags == nil {
		return []string{}
	}
	return tags
}

func (t tagged) list(c *rest.Call) (rest.Answer, error) {
	tags, err := t.tags(c, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"tags": tagList(tags)}), nil
}

func (t tagged) show(c *rest.Call) (rest.Answer, error) {
	tags, err := t.tags(c, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	if !slices.Contains(tags, c.Param("tag")) {
		return rest.Answer{}, errs.Errorf("network.tag", errs.NotFound, "Tag %.64s could not be found.", c.Param("tag"))
	}
	return rest.Empty(http.StatusNoContent), nil
}

// change carries out a change of a thing that the caller sees.
func (t tagged) change(c *rest.Call, cmd command.TagsChange) error {
	cmd.Thing, cmd.ID = t.shape.one, c.Param("id")
	if _, err := t.tags(c, cmd.ID); err != nil {
		return err
	}
	_, err := c.Do(&cmd)
	return err
}

func (t tagged) replace(c *rest.Call) (rest.Answer, error) {
	var in struct {
		Tags json.RawMessage `json:"tags"`
	}
	if err := c.Decode(&in, true); err != nil {
		return rest.Answer{}, err
	}
	var tags []string
	if json.Unmarshal(in.Tags, &tags) != nil || tags == nil {
		return rest.Answer{}, invalid("Invalid input for tags. Reason: it is not a list of strings.")
	}
	if err := t.change(c, command.TagsChange{Set: &tags}); err != nil {
		return rest.Answer{}, err
	}
	return t.list(c)
}

func (t tagged) clear(c *rest.Call) (rest.Answer, error) {
	if err := t.change(c, command.TagsChange{Set: &[]string{}}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

func (t tagged) add(c *rest.Call) (rest.Answer, error) {
	if err := t.change(c, command.TagsChange{Add: c.Param("tag")}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusCreated), nil
}

func (t tagged) remove(c *rest.Call) (rest.Answer, error) {
	if err := t.change(c, command.TagsChange{Remove: c.Param("tag")}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
