package agentapi

import (
	"net/http"

	"github.com/kvorum/kvorum/internal/assign"
)

// lease renews a host's lease with this node, or says why not: that is an answer,
// and no error.
func (d *Door) lease(w http.ResponseWriter, r *http.Request) {
	var in assign.LeaseRequest
	if err := decode(w, r, &in); err != nil {
		d.fail(w, r, err)
		return
	}
	if err := mustBe(r, in.HostID); err != nil {
		d.fail(w, r, err)
		return
	}
	out, err := d.Lease(in)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.answer(w, http.StatusOK, out)
}
