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
		Name     *string `json:"name"`
		DomainID string  `json:"domain_id"`
		Email    *string `json:"email"`
		// Description is one of the further attributes, as in Keystone.
		Description    *string          `json:"description"`
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
	return showExtra(out, u.Extra)
}

func (d *Door) listUsers(c *rest.Call) (rest.Answer, error) {
	out := []map[string]any{}
	for u := range c.View.Users() {
		out = append(out, renderUser(c, u))
	}
	return collection(c, "users", chosen(c, out, "name", "domain_id", "enabled")), nil
}

// userAnswer shows a user after a change. Somebody may have deleted it right
// after.
func userAnswer(c *rest.Call, status int, id model.UserID) (rest.Answer, error) {
	u := c.View.User(id)
	if u == nil {
		return rest.Answer{}, notFound("user", string(id))
	}
	return rest.JSON(status, map[string]any{"user": renderUser(c, u)}), nil
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
	extra, err := userShape.decode(c, &in, "")
	if err != nil {
		return rest.Answer{}, err
	}
	if in.User.Name == nil {
		return rest.Answer{}, invalid("user: 'name' is a required property.")
	}
	cmd := &command.UserCreate{ID: model.UserID(c.Hex()), Name: *in.User.Name, DomainID: model.DomainID(in.User.DomainID), Extra: extra}
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
		if cmd.PasswordHash, err = d.Passwords.Hash(*in.User.Password); err != nil {
			return rest.Answer{}, err
		}
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return userAnswer(c, http.StatusCreated, cmd.ID)
}

func (d *Door) updateUser(c *rest.Call) (rest.Answer, error) {
	var in userIn
	id := model.UserID(c.Param("id"))
	extra, err := userShape.decode(c, &in, string(id))
	if err != nil {
		return rest.Answer{}, err
	}
	u := c.View.User(id)
	if u == nil {
		return rest.Answer{}, notFound("user", string(id))
	}
	if to := model.DomainID(in.User.DomainID); to != "" && to != u.DomainID {
		return rest.Answer{}, invalid("user: 'domain_id' stays what it is.")
	}
	cmd := &command.UserUpdate{ID: id, Name: in.User.Name, Email: in.User.Email,
		DefaultProject: in.User.DefaultProject, Disabled: not(in.User.Enabled), Extra: extra}
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
	return userAnswer(c, http.StatusOK, cmd.ID)
}

func (d *Door) deleteUser(c *rest.Call) (rest.Answer, error) {
	if _, err := c.Do(&command.UserDelete{ID: model.UserID(c.Param("id"))}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

// changePassword changes a user's own password. Who knows the old one proves
// by it who asks; a token is not needed, and ends by the change.
func (d *Door) changePassword(c *rest.Call) (rest.Answer, error) {
	var in struct {
		User struct {
			Password *string `json:"password"`
			Original *string `json:"original_password"`
		} `json:"user"`
	}
	if err := c.Decode(&in, false); err != nil {
		return rest.Answer{}, err
	}
	if in.User.Password == nil || in.User.Original == nil {
		return rest.Answer{}, invalid("user: 'password' and 'original_password' are required properties.")
	}
	u, err := d.proved(c, c.View.User(model.UserID(c.Param("id"))), *in.User.Original)
	if err != nil {
		return rest.Answer{}, err
	}
	hash, err := d.Passwords.Hash(*in.User.Password)
	if err != nil {
		return rest.Answer{}, err
	}
	by := command.By{UserID: u.ID, UserEpoch: u.Epoch}
	if _, err := c.DoAs(by, &command.UserUpdate{ID: u.ID, PasswordHash: &hash}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
