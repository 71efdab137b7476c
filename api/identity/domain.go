package identity

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

func renderDomain(c *rest.Call, d *model.Domain) map[string]any {
	return map[string]any{"id": d.ID, "name": d.Name, "description": d.Description, "enabled": !d.Disabled,
		"tags": []string{}, "options": map[string]any{}, "links": self(c, "domains/"+string(d.ID))}
}

func (d *Door) listDomains(c *rest.Call) (rest.Answer, error) {
	out := []map[string]any{}
	for dom := range c.View.Domains() {
		out = append(out, renderDomain(c, dom))
	}
	return collection(c, "domains", chosen(c, out, "name", "enabled")), nil
}

func (d *Door) showDomain(c *rest.Call) (rest.Answer, error) {
	id := c.Param("id")
	dom := c.View.Domain(model.DomainID(id))
	if dom == nil || !c.Caller.Admin() && dom.ID != c.Caller.User.DomainID {
		return rest.Answer{}, notFound("domain", id)
	}
	return rest.JSON(http.StatusOK, map[string]any{"domain": renderDomain(c, dom)}), nil
}

// authDomains lists the domains that the caller may scope a token to: none,
// since nobody has a role on a domain.
func (d *Door) authDomains(c *rest.Call) (rest.Answer, error) {
	return collection(c, "domains", []any{}), nil
}

// authSystem tells whether the caller may scope a token to the system: nobody
// has a role there.
func (d *Door) authSystem(c *rest.Call) (rest.Answer, error) {
	return collection(c, "system", []any{}), nil
}
