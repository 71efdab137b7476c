package compute

import (
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

func listServers(c *rest.Call) (rest.Answer, error) { return serverPage(c, "servers", brief) }

func (d *Door) detailServers(c *rest.Call) (rest.Answer, error) {
	return serverPage(c, "servers/detail", d.renderServer)
}

func serverPage(c *rest.Call, path string, render renderer) (rest.Answer, error) {
	ask, err := parseServerQuery(c)
	if err != nil {
		return rest.Answer{}, err
	}
	all := slices.DeleteFunc(candidates(c, ask), func(s *model.Server) bool {
		return slices.ContainsFunc(ask.filters, func(f filter) bool { return !f(s) })
	})
	ask.sort(all)
	part, more, err := page(c, all, func(s *model.Server) string { return string(s.ID) })
	if err != nil {
		return rest.Answer{}, err
	}
	out := []object{}
	for _, s := range part {
		o, err := render(c, s)
		if err != nil {
			return rest.Answer{}, err
		}
		out = append(out, o)
	}
	body := object{"servers": out}
	if more {
		body["servers_links"] = next(c, path, string(part[len(part)-1].ID))
	}
	return rest.JSON(http.StatusOK, body), nil
}

// candidates lists the servers that a query may mean: the project's or, for
// administrators who ask for them, everybody's; and the deleted ones if it
// asks for those.
func candidates(c *rest.Call, ask *serverQuery) (all []*model.Server) {
	mine, gone := c.View.ServersOf(c.Caller.ProjectID()), c.View.TombstonesOf(c.Caller.ProjectID())
	if ask.everybody {
		mine, gone = c.View.Servers(), c.View.Tombstones()
	}
	if ask.alive {
		for s := range mine {
			all = append(all, s)
		}
	}
	if ask.dead {
		for t := range gone {
			all = append(all, remains(t))
		}
	}
	return all
}

// remains is a deleted server as users see it.
func remains(t *model.Tombstone) *model.Server {
	s := t.Server.Clone()
	s.VMState, s.TaskState, s.PowerState, s.UpdatedAt = deleted, "", model.PowerNone, t.DeletedAt
	return s
}
