package identity

import (
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

type idName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type inDomain struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain idName `json:"domain"`
}

// body is a token as clients see it (Identity API v3, "Token object").
type body struct {
	Methods []string `json:"methods"`
	User    struct {
		inDomain
		PasswordExpiresAt *string `json:"password_expires_at"`
	} `json:"user"`
	AuditIDs  []string  `json:"audit_ids"`
	ExpiresAt string    `json:"expires_at"`
	IssuedAt  string    `json:"issued_at"`
	Project   *inDomain `json:"project,omitempty"`
	IsDomain  *bool     `json:"is_domain,omitempty"`
	Roles     []idName  `json:"roles,omitempty"`
	Catalog   *[]entry  `json:"catalog,omitempty"`
}

// stamp is Identity's form of time.
func stamp(unix int64) string {
	return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05.000000Z")
}

func domainName(v state.View, id model.DomainID) idName {
	out := idName{ID: string(id)}
	if d := v.Domain(id); d != nil {
		out.Name = d.Name
	}
	return out
}

// render shows a valid token; withCatalog adds the catalog, if it is scoped.
func (d *Door) render(c *rest.Call, tok token, withCatalog bool) map[string]any {
	b := body{Methods: tok.Methods, AuditIDs: tok.Audit, ExpiresAt: stamp(tok.Expires), IssuedAt: stamp(tok.issued)}
	u := c.View.User(tok.User)
	b.User.inDomain = inDomain{ID: string(u.ID), Name: u.Name, Domain: domainName(c.View, u.DomainID)}
	if tok.Project != "" {
		p := c.View.Project(tok.Project)
		b.Project = &inDomain{ID: string(p.ID), Name: p.Name, Domain: domainName(c.View, p.DomainID)}
		b.IsDomain = new(bool)
		for _, r := range rolesOn(c.View, tok.User, tok.Project) {
			b.Roles = append(b.Roles, idName{ID: string(r.ID), Name: r.Name})
		}
		if withCatalog {
			list := d.catalog(c)
			b.Catalog = &list
		}
	}
	return map[string]any{"token": b}
}
