package agentapi

import (
	"net/http"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/metadata"
)

// SealedPassword is the word that guests' passwords are sealed with.
const SealedPassword = "password"

// password keeps what a guest posted. A host that asks again, because it did not
// hear the answer, is told the same.
func (d *Door) password(w http.ResponseWriter, r *http.Request) {
	var in assign.Password
	err := decode(w, r, &in)
	if err == nil {
		err = mustBe(r, in.HostID)
	}
	if err == nil && (in.Text == "" || len(in.Text) > metadata.MaxPassword) {
		err = errs.Errorf("agentapi.password", errs.Invalid, "A password has 1 to %d bytes.", metadata.MaxPassword)
	}
	var v state.View
	if err == nil {
		v, err = d.Cluster.Read(r.Context())
	}
	if err == nil {
		err = d.keep(r, v, in)
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) keep(r *http.Request, v state.View, in assign.Password) error {
	if s, p := v.Server(model.ServerID(in.Guest)), v.Permit(model.ServerID(in.Guest)); s != nil && len(s.Password) > 0 && p != nil && p.HostID == model.HostID(in.HostID) {
		had, err := d.Opener.Open(SealedPassword, s.Password)
		if err == nil && string(had) != in.Text {
			err = errs.Errorf("agentapi.password", errs.Conflict, "The guest has posted a password already.")
		}
		return err
	}
	sealed, err := d.Seal(SealedPassword, []byte(in.Text))
	if err != nil {
		return err
	}
	return d.propose(r.Context(), in.HostID, &command.ServerPassword{ID: model.ServerID(in.Guest), Permit: in.Permit, Password: sealed})
}
