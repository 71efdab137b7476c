package agentapi

import (
	"net/http"

	"github.com/kvorum/kvorum/internal/errs"
)

// gossip tells an agent how to gossip: there is a secret in it, which all agents
// have.
func (d *Door) gossip(w http.ResponseWriter, r *http.Request) {
	if d.Gossip == nil {
		d.fail(w, r, errs.Errorf("agentapi.gossip", errs.NotFound, "This control node does not gossip."))
		return
	}
	out, err := d.Gossip()
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.answer(w, http.StatusOK, out)
}
