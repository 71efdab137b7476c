package compute

import (
	"maps"
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

var metadataBody = record(has("metadata", metadataRule).must())

// metaBody has exactly one item.
var metaBody = record(has("meta", func(name string, v any, at rest.Version) error {
	if err := metadataRule(name, v, at); err != nil {
		return err
	}
	if n := len(v.(map[string]any)); n != 1 {
		return badInput(name, v, "It must have exactly one item")
	}
	return nil
}).must())

// settled refuses to write on a server in a state that does not allow it.
func settled(s *model.Server, action string) error {
	switch s.VMState {
	case model.Active, model.Stopped, "paused", "suspended":
		return nil
	}
	return errs.Errorf("compute.metadata", errs.Conflict, "Cannot '%s' instance %s while it is in vm_state %s", action, s.ID, s.VMState)
}

// decideMetadata is the command that gives a server this metadata, whole.
func decideMetadata(s *model.Server, meta map[string]string, action string) (*command.ServerUpdate, error) {
	if err := settled(s, action); err != nil {
		return nil, err
	}
	if len(meta) > maxMetadata {
		return nil, errs.Errorf("compute.metadata", errs.Quota, "Maximum number of metadata items exceeds %d", maxMetadata)
	}
	return &command.ServerUpdate{ID: s.ID, Metadata: &meta}, nil
}

func listMetadata(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"metadata": filled(s.Metadata)}), nil
}

func mergeMetadata(c *rest.Call) (rest.Answer, error)   { return writeMetadata(c, true) }
func replaceMetadata(c *rest.Call) (rest.Answer, error) { return writeMetadata(c, false) }

func writeMetadata(c *rest.Call, merge bool) (rest.Answer, error) {
	var in struct {
		Metadata map[string]string `json:"metadata"`
	}
	if err := parse(c, metadataBody, &in); err != nil {
		return rest.Answer{}, err
	}
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	meta := map[string]string{}
	if merge {
		maps.Copy(meta, s.Metadata)
	}
	maps.Copy(meta, in.Metadata)
	if err := doMetadata(c, s, meta, "update metadata"); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"metadata": meta}), nil
}

func doMetadata(c *rest.Call, s *model.Server, meta map[string]string, action string) error {
	cmd, err := decideMetadata(s, meta, action)
	if err != nil {
		return err
	}
	_, err = c.Do(cmd)
	return err
}

// findItem gives the server and its metadata item that the path names.
func findItem(c *rest.Call) (s *model.Server, value string, err error) {
	if s, err = findServer(c); err != nil {
		return nil, "", err
	}
	value, there := s.Metadata[c.Param("key")]
	if !there {
		return nil, "", errs.Errorf("compute.metadata", errs.NotFound, "Metadata item was not found")
	}
	return s, value, nil
}

func showMetadata(c *rest.Call) (rest.Answer, error) {
	_, value, err := findItem(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"meta": object{c.Param("key"): value}}), nil
}

func putMetadata(c *rest.Call) (rest.Answer, error) {
	var in struct {
		Meta map[string]string `json:"meta"`
	}
	if err := parse(c, metaBody, &in); err != nil {
		return rest.Answer{}, err
	}
	value, there := in.Meta[c.Param("key")]
	if !there {
		return rest.Answer{}, invalid("Request body and URI mismatch")
	}
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	meta := maps.Clone(filled(s.Metadata))
	meta[c.Param("key")] = value
	if err := doMetadata(c, s, meta, "update metadata"); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"meta": in.Meta}), nil
}

func deleteMetadata(c *rest.Call) (rest.Answer, error) {
	s, _, err := findItem(c)
	if err != nil {
		return rest.Answer{}, err
	}
	meta := maps.Clone(s.Metadata)
	delete(meta, c.Param("key"))
	if err := doMetadata(c, s, meta, "delete metadata"); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
