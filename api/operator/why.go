package operator

import (
	"context"
	"net/http"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Why is where a server is, and why there.
type Why struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// State is the server's: building, active and so on, or deleted.
	State string `json:"state"`
	// Host is empty while it has none.
	Host string `json:"host"`
	// Trace is the placement's; empty while the server waits for one.
	Trace string `json:"trace"`
	// Fault is why the server is in error; empty if it is not.
	Fault string `json:"fault"`
}

// why tells where a server is, also after it was deleted, as long as its
// tombstone is there.
func (d *Verbs) why(ctx context.Context, r *http.Request) (any, error) {
	id := model.ServerID(r.PathValue("id"))
	v, err := d.Cluster.Read(ctx)
	if err != nil {
		return nil, err
	}
	s, state := v.Server(id), "deleted"
	if s != nil {
		state = s.VMState
	} else if t := v.Tombstone(id); t != nil {
		s = &t.Server
	} else {
		return nil, errs.Errorf("operator.why", errs.NotFound, "There is no server %.64q: name it by its id.", string(id))
	}
	w := Why{ID: string(id), Name: s.Name, State: state, Trace: s.Why}
	if h := v.Host(s.HostID); h != nil {
		w.Host = h.Name
	}
	if s.Fault != nil {
		w.Fault = s.Fault.Message
	}
	return w, nil
}
