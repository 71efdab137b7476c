package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
)

// maker is how a sort of thing is made: In is its body, Cmd its command and
// Row its record.
type maker[In, Row any, Cmd command.Command] struct {
	shape *shape
	// decide gives, for one request, what turns a body into its command.
	decide func(c *rest.Call) func(In) (Cmd, error)
	// several makes several by one command, all or none; nil where that is not
	// offered.
	several func([]Cmd) command.Command
	find    func(c *rest.Call, cmd Cmd) *Row
	render  render[Row]
}

// create makes what a body asks for: one thing, or several.
func (m *maker[In, Row, Cmd]) create(c *rest.Call) (rest.Answer, error) {
	all, bulk, err := readNew[In](c, m.shape)
	if err != nil {
		return rest.Answer{}, err
	}
	if len(all) > 1 && m.several == nil {
		return rest.Answer{}, notOffered("Making several %s at once is not offered: make them one by one.", m.shape.many)
	}
	decide := m.decide(c)
	var cmds []Cmd
	for _, in := range all {
		cmd, err := decide(in)
		if err != nil {
			return rest.Answer{}, err
		}
		cmds = append(cmds, cmd)
	}
	var whole command.Command = cmds[0]
	if len(cmds) > 1 {
		whole = m.several(cmds)
	}
	ids, err := c.Do(whole)
	if err != nil {
		return rest.Answer{}, err
	}
	return m.made(c, cmds, ids, bulk)
}

// made answers with what was made. Somebody may have deleted it right after.
func (m *maker[In, Row, Cmd]) made(c *rest.Call, cmds []Cmd, ids []string, bulk bool) (rest.Answer, error) {
	var out []object
	for i, cmd := range cmds {
		row := m.find(c, cmd)
		if row == nil {
			return rest.Answer{}, notFound(m.shape.title(), ids[i])
		}
		out = append(out, m.render(c.View, c.Caller, row))
	}
	if bulk {
		return rest.JSON(http.StatusCreated, object{m.shape.many: out}), nil
	}
	return rest.JSON(http.StatusCreated, object{m.shape.one: out[0]}), nil
}
