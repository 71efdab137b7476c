package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// ProjectUpdate changes a project: only the fields that are given.
//
// Rules: the actor is an administrator; the project is there; a new name is
// free in its domain; further attributes are JSON, and within their bounds. The
// project's epoch rises: what was authorized before is
// refused; disabling ends the tokens for it for good.
type ProjectUpdate struct {
	ID          model.ProjectID `json:"id"`
	Name        *string         `json:"name,omitempty"`
	Description *string         `json:"description,omitempty"`
	Disabled    *bool           `json:"disabled,omitempty"`
	// Extra are further attributes to set, or to take away where the text is
	// empty.
	Extra map[string]string `json:"extra,omitempty"`
}

// Kind implements Command.
func (*ProjectUpdate) Kind() string { return "project.update/1" }

// Apply implements Command.
func (c *ProjectUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if err := onlyAdmin("project.update", m.By); err != nil {
		return nil, err
	}
	old, err := findProject(tx, c.ID)
	if err != nil {
		return nil, err
	}
	p := old.Clone()
	set(&p.Name, c.Name)
	set(&p.Description, c.Description)
	set(&p.Disabled, c.Disabled)
	p.Extra = extended(p.Extra, c.Extra)
	if p.Disabled && !old.Disabled {
		p.Bars++
	}
	p.Epoch++
	if err := checkProject(tx, p); err != nil {
		return nil, err
	}
	tx.PutProject(p)
	return []string{string(p.ID)}, nil
}

func exampleProjectUpdate() *ProjectUpdate {
	text, yes := "for trying more things out", true
	return &ProjectUpdate{ID: "000000000000000000000000000000a2", Description: &text, Disabled: &yes, Extra: map[string]string{"colour": ""}}
}

func workProjectUpdate(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	p, haveProject := pick(g, g.View().Projects())
	if !ok || !haveProject || reserved(p.Name) {
		return nil, by, false
	}
	name, disabled := fmt.Sprintf("p-%d", g.Intn(50)), p.Disabled != (g.Intn(8) == 0)
	return &ProjectUpdate{ID: p.ID, Name: &name, Disabled: &disabled, Extra: extraAtRandom(g)}, by, true
}
