package compute

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
)

// showPassword gives what the guest posted to its metadata: its password, which
// the user's private key opens; empty if it posted none.
func (d *Door) showPassword(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	text := []byte{}
	if len(s.Password) > 0 {
		if text, err = d.OpenPassword(s.Password); err != nil {
			return rest.Answer{}, err
		}
	}
	return rest.JSON(http.StatusOK, object{"password": string(text)}), nil
}

// clearPassword forgets it; the guest may post another one.
func clearPassword(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.ServerPassword{ID: s.ID}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
