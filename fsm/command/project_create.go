package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ProjectCreate makes a project (Identity v3, "Create project").
//
// Rules: the actor is an administrator; the id is new; the domain is there;
// the name has 1 to MaxProjectName characters and is free in the domain;
// further attributes are JSON, and within their bounds.
type ProjectCreate struct {
	ID          model.ProjectID `json:"id"`
	DomainID    model.DomainID  `json:"domain_id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Disabled    bool            `json:"disabled,omitempty"`
	// Extra are further attributes, as in model.Project.
	Extra map[string]string `json:"extra,omitempty"`
}

// Kind implements Command.
func (*ProjectCreate) Kind() string { return "project.create/1" }

// MaxProjectName is the longest name of a project, in characters.
const MaxProjectName = 64

// maxDescription bounds a description, in characters.
const maxDescription = 65535

// Apply implements Command.
func (c *ProjectCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "project.create"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	if err := newHexID(op, string(c.ID), tx.Project(c.ID) != nil); err != nil {
		return nil, err
	}
	p := &model.Project{ID: c.ID, DomainID: c.DomainID, Name: c.Name, Description: c.Description,
		Disabled: c.Disabled, Extra: extended(nil, c.Extra), Epoch: 1, CreatedAt: m.At}
	if err := checkProject(tx, p); err != nil {
		return nil, err
	}
	tx.PutProject(p)
	return []string{string(c.ID)}, nil
}

// checkProject checks a project's texts, its domain and that its name is free.
func checkProject(tx *state.Tx, p *model.Project) error {
	const op = "project.check"
	if tx.Domain(p.DomainID) == nil {
		return refuse(op, errs.NotFound, "Could not find domain: %s.", p.DomainID)
	}
	if err := invalid(op, model.CheckName("name", p.Name)); err != nil {
		return err
	}
	if err := invalid(op, model.CheckText("name", p.Name, MaxProjectName)); err != nil {
		return err
	}
	if err := invalid(op, model.CheckText("description", p.Description, maxDescription)); err != nil {
		return err
	}
	if err := invalid(op, checkExtra(p.Extra)); err != nil {
		return err
	}
	if other := tx.ProjectNamed(p.DomainID, p.Name); other != nil && other.ID != p.ID {
		return duplicate("project", p.Name, p.DomainID)
	}
	return nil
}

func exampleProjectCreate() *ProjectCreate {
	return &ProjectCreate{ID: "000000000000000000000000000000a2", DomainID: "default", Name: "demo", Description: "for trying things out",
		Extra: map[string]string{"colour": `"red"`}}
}

func workProjectCreate(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	d, haveDomain := pick(g, g.View().Domains())
	if !ok || !haveDomain {
		return nil, by, false
	}
	return &ProjectCreate{ID: model.ProjectID(g.Hex()), DomainID: d.ID, Name: fmt.Sprintf("p-%d", g.Intn(50)), Extra: extraAtRandom(g)}, by, true
}
