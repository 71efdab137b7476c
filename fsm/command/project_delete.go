package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ProjectDelete removes a project with its grants, limits and its access to
// flavors.
//
// Rules: the actor is an administrator; the project is there and owns nothing:
// no server, image, network, subnet, port or router. The epochs of the users
// that had a role on it, or had it as their default, rise.
type ProjectDelete struct {
	ID model.ProjectID `json:"id"`
}

// Kind implements Command.
func (*ProjectDelete) Kind() string { return "project.delete/1" }

// Apply implements Command.
func (c *ProjectDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "project.delete"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	p, err := findProject(tx, c.ID)
	if err != nil {
		return nil, err
	}
	if what := owned(tx, p.ID); what != "" {
		return nil, refuse(op, errs.Conflict, "Project %s still owns %s: delete what it owns first.", p.ID, what)
	}
	for _, g := range collect(tx.Grants()) {
		if g.ProjectID == p.ID {
			tx.DeleteGrant(*g)
			bumpUser(tx, g.UserID)
		}
	}
	for _, old := range collect(tx.Users()) {
		if old.DefaultProject == p.ID {
			u := old.Clone()
			u.DefaultProject = ""
			u.Epoch++
			tx.PutUser(u)
		}
	}
	for _, r := range state.Resources {
		tx.DeleteQuota(p.ID, r.Name)
	}
	dropAccess(tx, p.ID)
	tx.DeleteProject(p.ID)
	return []string{string(p.ID)}, nil
}

// owned names the first kind of thing that a project owns; empty for none.
func owned(tx *state.Tx, id model.ProjectID) string {
	for range tx.ServersOf(id) {
		return "servers"
	}
	for range tx.ImagesOf(id) {
		return "images"
	}
	for range tx.PortsOf(id) {
		return "ports"
	}
	for range tx.RoutersOf(id) {
		return "routers"
	}
	for range tx.NetworksOf(id) {
		return "networks"
	}
	// What is charged by usage alone: subnets on another project's network.
	if tx.Used(id, "subnet") > 0 {
		return "subnets"
	}
	return ""
}

func exampleProjectDelete() *ProjectDelete {
	return &ProjectDelete{ID: "000000000000000000000000000000a2"}
}

func workProjectDelete(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	p, haveProject := pick(g, g.View().Projects())
	if !ok || !haveProject || reserved(p.Name) {
		return nil, by, false
	}
	return &ProjectDelete{ID: p.ID}, by, true
}
