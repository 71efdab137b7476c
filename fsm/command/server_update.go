package command

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ServerUpdate changes what a user may rename of a server: only the fields
// that are given.
//
// Rules: the server is the actor's; names and metadata are well-formed; when
// Metadata or Tags are given they replace the whole.
type ServerUpdate struct {
	ID          model.ServerID     `json:"id"`
	Name        *string            `json:"name,omitempty"`
	Description *string            `json:"description,omitempty"`
	AccessIPv4  *string            `json:"access_ipv4,omitempty"`
	AccessIPv6  *string            `json:"access_ipv6,omitempty"`
	DiskManual  *bool              `json:"disk_manual,omitempty"`
	Hostname    *string            `json:"hostname,omitempty"`
	Metadata    *map[string]string `json:"metadata,omitempty"`
	Tags        *[]string          `json:"tags,omitempty"`
	// NoDescription removes the description.
	NoDescription bool `json:"no_description,omitempty"`
}

// Kind implements Command.
func (*ServerUpdate) Kind() string { return "server.update/1" }

// Apply implements Command.
func (c *ServerUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	old, err := findServer(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	s := old.Clone()
	set(&s.Name, c.Name)
	set(&s.AccessIPv4, c.AccessIPv4)
	set(&s.AccessIPv6, c.AccessIPv6)
	set(&s.DiskManual, c.DiskManual)
	set(&s.Hostname, c.Hostname)
	if c.Description != nil || c.NoDescription {
		s.Description = c.Description
	}
	if c.Metadata != nil {
		s.Metadata = maps.Clone(*c.Metadata)
	}
	if c.Tags != nil {
		s.Tags = slices.Clone(*c.Tags)
	}
	if err := model.CheckName("name", s.Name); err != nil {
		return nil, errs.E("server.update", errs.Invalid, err.Error(), nil)
	}
	if err := model.CheckMap("metadata", s.Metadata); err != nil {
		return nil, errs.E("server.update", errs.Invalid, err.Error(), nil)
	}
	tx.PutServer(touch(s, m))
	return []string{string(s.ID)}, nil
}

// set stores what is given and leaves the rest.
func set[T any](field *T, given *T) {
	if given != nil {
		*field = *given
	}
}

func exampleServerUpdate() *ServerUpdate {
	name := "web2"
	return &ServerUpdate{ID: "00000000-0000-4000-8000-000000000001", Name: &name}
}

func workServerUpdate(g Gen) (Command, By, bool) {
	s, by, ok := someServer(g)
	if !ok {
		return nil, by, false
	}
	name := fmt.Sprintf("renamed-%d", g.Intn(100))
	c := &ServerUpdate{ID: s.ID, Name: &name}
	if g.Intn(2) == 0 {
		c.Metadata = &map[string]string{"n": name}
	}
	return c, by, true
}
