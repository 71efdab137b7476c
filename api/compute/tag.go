package compute

import (
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

var tagsBody = record(has("tags", list(maxTags, tagRule)).must())

// tagList is a server's tags, never null.
func tagList(s *model.Server) []string {
	if s.Tags == nil {
		return []string{}
	}
	return s.Tags
}

// decideTags is the command that gives a server these tags and no others.
func decideTags(s *model.Server, tags []string, action string) (*command.ServerUpdate, error) {
	if err := settled(s, action); err != nil {
		return nil, err
	}
	tags = tagSet(tags)
	if len(tags) > maxTags {
		return nil, invalid("The number of tags exceeded the per-server limit %d", maxTags)
	}
	return &command.ServerUpdate{ID: s.ID, Tags: &tags}, nil
}

func doTags(c *rest.Call, s *model.Server, tags []string, action string) error {
	cmd, err := decideTags(s, tags, action)
	if err != nil {
		return err
	}
	_, err = c.Do(cmd)
	return err
}

func listTags(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"tags": tagList(s)}), nil
}

func replaceTags(c *rest.Call) (rest.Answer, error) {
	var in struct {
		Tags []string `json:"tags"`
	}
	if err := parse(c, tagsBody, &in); err != nil {
		return rest.Answer{}, err
	}
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if err := doTags(c, s, in.Tags, "update tags"); err != nil {
		return rest.Answer{}, err
	}
	if s = c.View.Server(s.ID); s == nil { // somebody deleted it right after
		return rest.Answer{}, noServer(c)
	}
	return rest.JSON(http.StatusOK, object{"tags": tagList(s)}), nil
}

func deleteTags(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if err := doTags(c, s, nil, "delete all tags"); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

// findTag gives the server that the path names, which must have the tag.
func findTag(c *rest.Call) (*model.Server, error) {
	s, err := findServer(c)
	if err == nil && !slices.Contains(s.Tags, c.Param("tag")) {
		err = errs.Errorf("compute.tag", errs.NotFound, "Server %s has no tag '%s'", s.ID, shorten(c.Param("tag")))
	}
	return s, err
}

func showTag(c *rest.Call) (rest.Answer, error) {
	if _, err := findTag(c); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

func putTag(c *rest.Call) (rest.Answer, error) {
	tag := c.Param("tag")
	if err := tagRule("tag", tag, c.Version); err != nil {
		return rest.Answer{}, err
	}
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if slices.Contains(s.Tags, tag) {
		return rest.Empty(http.StatusNoContent), nil
	}
	if err := doTags(c, s, append(slices.Clone(s.Tags), tag), "add tag"); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusCreated).With("Location", links(c, "servers", string(s.ID))[0]["href"].(string)+"/tags/"+tag), nil
}

func deleteTag(c *rest.Call) (rest.Answer, error) {
	s, err := findTag(c)
	if err != nil {
		return rest.Answer{}, err
	}
	left := slices.DeleteFunc(slices.Clone(s.Tags), func(t string) bool { return t == c.Param("tag") })
	if err := doTags(c, s, left, "delete tag"); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
