package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ServerPassword keeps the password that a guest posted to its metadata, or
// forgets it (Compute API, "os-server-password").
//
// Rules: to keep one, the actor is the host that has the server's permit, of
// this number; it has at most maxSealedPassword bytes; the server is there and
// has none yet. To forget it, by an empty one, the server is the actor's; it may
// have none.
type ServerPassword struct {
	ID     model.ServerID `json:"id"`
	Permit uint64         `json:"permit,omitempty"`
	// Password is sealed.
	Password []byte `json:"password,omitempty"`
}

// maxSealedPassword bounds a sealed password, in bytes.
const maxSealedPassword = 2048

// Kind implements Command.
func (*ServerPassword) Kind() string { return "server.password/1" }

// Apply implements Command.
func (c *ServerPassword) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "server.password"
	if len(c.Password) == 0 {
		s, err := findServer(tx, m.By, c.ID)
		if err == nil && len(s.Password) > 0 {
			c.put(tx, m, s)
		}
		return nil, err
	}
	p := tx.Permit(c.ID)
	if p == nil || p.Number != c.Permit {
		return nil, refuse(op, errs.NotFound, "There is no such guest.")
	}
	if err := onlySystem(op, m.By, HostBy+string(p.HostID)); err != nil {
		return nil, err
	}
	s := tx.Server(c.ID)
	switch {
	case s == nil:
		return nil, refuse(op, errs.NotFound, "There is no such guest.")
	case len(s.Password) > 0:
		return nil, refuse(op, errs.Conflict, "The guest has posted a password already.")
	case len(c.Password) > maxSealedPassword:
		return nil, refuse(op, errs.Invalid, "the sealed password has %d bytes; the limit is %d", len(c.Password), maxSealedPassword)
	}
	c.put(tx, m, s)
	return []string{string(s.ID)}, nil
}

func (c *ServerPassword) put(tx *state.Tx, m Meta, old *model.Server) {
	s := old.Clone()
	s.Password = c.Password
	tx.PutServer(touch(s, m))
}

func exampleServerPassword() *ServerPassword {
	return &ServerPassword{ID: "00000000-0000-4000-8000-000000000001", Permit: 9, Password: []byte("sealed")}
}

// workServerPassword posts one, sometimes under a permit that is not the
// guest's, or forgets it.
func workServerPassword(g Gen) (Command, By, bool) {
	s, by, ok := someServer(g)
	if !ok {
		return nil, by, false
	}
	p := g.View().Permit(s.ID)
	if p == nil || g.Intn(3) == 0 {
		return &ServerPassword{ID: s.ID}, by, true
	}
	return &ServerPassword{ID: s.ID, Permit: p.Number - uint64(g.Intn(5)/4), Password: []byte(g.Hex())}, By{System: HostBy + string(p.HostID)}, true
}
