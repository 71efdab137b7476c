package sim

import (
	"fmt"
	"strings"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func kindOf(err error) string { return errs.KindOf(err).String() + ": " + errs.Message(err) }

func (w *world) server(id model.ServerID) string { return w.film.name("s", string(id)) }

func (w *world) host(id model.HostID) string { return w.film.name("h", string(id)) }

// subject says what a command is about, in the film's names; nothing for kinds
// that the film does not follow.
func (w *world) subject(c command.Command) string {
	var parts []string
	switch c := c.(type) {
	case *command.ServerCreate:
		for _, i := range c.Items {
			parts = append(parts, w.server(i.ID))
		}
	case *command.ServerDelete:
		parts = append(parts, w.server(c.ID))
	case *command.ServerUpdate:
		parts = append(parts, w.server(c.ID))
	case *command.ServerPower:
		parts = append(parts, fmt.Sprintf("%s on=%t", w.server(c.ID), c.On))
	case *command.ServerReboot:
		parts = append(parts, fmt.Sprintf("%s hard=%t", w.server(c.ID), c.Hard))
	case *command.ServersPlace:
		for _, i := range c.Items {
			to := "none"
			if i.HostID != "" {
				to = w.host(i.HostID)
			}
			parts = append(parts, w.server(i.ServerID)+"->"+to)
		}
	case *command.HostReport:
		parts = append(parts, w.host(c.HostID))
		for _, g := range c.Guests {
			parts = append(parts, fmt.Sprintf("%s=%s/%d/%d", w.server(g.ID), g.State, g.PowerEpoch, g.RebootEpoch))
		}
	case *command.HostState:
		parts = append(parts, fmt.Sprintf("%s down=%t", w.host(c.ID), c.Down))
	case *command.HostRegister:
		parts = append(parts, w.host(c.ID))
	case *command.JoinTokenCreate:
		parts = append(parts, w.film.name("t", string(c.ID)), c.Role, c.Name)
	case *command.JoinTokenDelete:
		parts = append(parts, w.film.name("t", string(c.ID)))
	case *command.NodeJoin:
		parts = append(parts, w.film.name("t", string(c.TokenID)), c.Role, c.Name, w.film.name("n", string(c.NodeID)))
	case *command.NodeRemove:
		parts = append(parts, w.film.name("n", string(c.ID)))
	case *command.HostService:
		parts = append(parts, w.host(c.ID))
	}
	return strings.Join(parts, " ")
}
