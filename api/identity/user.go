package identity

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// userIn is the body of a user's create and update.
type userIn struct {
	User struct {
		Name           *string          `json:"name"`
		DomainID       string           `json:"domain_id"`
		Email          *string          `json:"email"`
		Password       *string          `json:"password"`
		DefaultProject *model.ProjectID `json:"default_project_id"`
		Enabled        *bool            `json:"enabled"`
	} `json:"user"`
}

func renderUser(c *rest.Call, u *model.User) map[string]any {
	out := map[string]any{"id": u.ID, "name": u.Name, "domain_id": u.DomainID, "enabled": !u.Disabled,
		"options": map[string]any{}, "password_expires_at": nil, "links": self(c, "users/"+string(u.ID))}
	if u.Email != "" {
		out["email"] = u.Email
	}
	if u.DefaultProject != "" {
		out["default_project_id"] = u.DefaultProject
	}
	return out
}

func (d *Door) listUsers(c *rest.Call) (rest.Answer, error) {
	out := []map[string]any{}
	for u := range c.View.Users() {
		if matches(c, map[string]string{"name": u.Name, "domain_id": string(u.DomainID), "enabled": truth(!u.Disabled)}) {
			out = append(out, renderUser(c, u))
		}
	}
	return collection(c, "users", out), nil
}

// ownOrAdmin finds a user that the caller may look at: itself, or any for
// administrators.
func ownOrAdmin(c *rest.Call) (*model.User, error) {
	id := c.Param("id")
	u := c.View.User(model.UserID(id))
	if u == nil || !c.Caller.Admin() && u.ID != c.Caller.User.ID {
		return nil, notFound("user", id)
	}
	return u, nil
}

func (d *Door) showUser(c *rest.Call) (rest.Answer, error) {
	u, err := ownOrAdmin(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, map[string]any{"user": renderUser(c, u)}), nil
}

func (d *Door) userProjects(c *rest.Call) (rest.Answer, error) {
	u, err := ownOrAdmin(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return collection(c, "projects", projectsOf(c, u.ID)), nil
}

func (d *Door) createUser(c *rest.Call) (rest.Answer, error) {
	var in userIn
	if err := c.Decode(&in, false); err != nil {
		return rest.Answer{}, err
	}
	if in.User.Name == nil {
		return rest.Answer{}, invalid("user: 'name' is a required property.")
	}
	cmd := &command.UserCreate{ID: model.UserID(c.Hex()), Name: *in.User.Name, DomainID: model.DomainID(in.User.DomainID)}
	if cmd.DomainID == "" {
		cmd.DomainID = c.Caller.User.DomainID
	}
	if in.User.Email != nil {
		cmd.Email = *in.User.Email
	}
	if in.User.DefaultProject != nil {
		cmd.DefaultProject = *in.User.DefaultProject
	}
	cmd.Disabled = in.User.Enabled != nil && !*in.User.Enabled
	if in.User.Password != nil {
		var err error
		if cmd.PasswordHash, err = d.Passwords.Hash(*in.User.Password); err != nil {
			return rest.Answer{}, err
		}
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusCreated, map[string]any{"user": renderUser(c, c.View.User(cmd.ID))}), nil
}

func (d *Door) updateUser(c *rest.Call) (rest.Answer, error) {
	var in userIn
	if err := c.Decode(&in, false); err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.UserUpdate{ID: model.UserID(c.Param("id")), Name: in.User.Name, Email: in.User.Email,
		DefaultProject: in.User.DefaultProject, Disabled: not(in.User.Enabled)}
	if in.User.Password != nil {
		hash, err := d.Passwords.Hash(*in.User.Password)
		if err != nil {
			return rest.Answer{}, err
		}
		cmd.PasswordHash = &hash
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, map[string]any{"user": renderUser(c, c.View.User(cmd.ID))}), nil
}

func (d *Door) deleteUser(c *rest.Call) (rest.Answer, error) {
	if _, err := c.Do(&command.UserDelete{ID: model.UserID(c.Param("id"))}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
