package agentapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/wire"
)

// maxBody bounds one report, in bytes.
const maxBody = 1 << 20

// Opener opens what was sealed under the cluster's data key.
type Opener interface {
	Open(what string, sealed []byte) ([]byte, error)
}

// SealedUserData is the word that user data is sealed with.
const SealedUserData = "user_data"

// Images are the bytes of images.
type Images interface {
	Open(sha256 string) (body io.ReadCloser, size int64, err error)
}

// Door is the front door; make it with all parts filled in.
type Door struct {
	Cluster rest.Cluster
	// Peek is the state as this node knows it now, possibly old: it only tells
	// when it is worth to ask for a read point. Feed tells what changes in it.
	Peek func() state.View
	Feed *state.Feed
	// Lease renews a host's lease with this node as one voter of several; its
	// errors carry kinds.
	Lease func(assign.LeaseRequest) (assign.LeaseAnswer, error)
	// Rival (optional) tells whether another machine than the one whose agent has
	// that life holds the host's lease, as far as this node knows.
	Rival func(host, instance string) bool
	// Gossip (optional) tells agents how to gossip; its errors carry kinds.
	Gossip func() (assign.Gossip, error)
	Opener Opener
	// Seal hides what a guest posted before it becomes part of a command.
	Seal   func(what string, plain []byte) ([]byte, error)
	Images Images
	Clock  clock.Clock
	Log    *slog.Logger
	// NewID makes the id of a command.
	NewID func() string
}

// Handler serves the front door below /agent/v1/.
func (d *Door) Handler() http.Handler {
	mux := http.NewServeMux()
	desired := &desired{door: d, board: newBoard(boardConfig{peek: d.Peek, feed: d.Feed, tell: d.assigned, clock: d.Clock, log: d.Log})}
	mux.Handle("GET /agent/v1/desired", desired)
	mux.HandleFunc("POST /agent/v1/register", d.register)
	mux.HandleFunc("POST /agent/v1/report", d.report)
	mux.HandleFunc("POST /agent/v1/lease", d.lease)
	mux.HandleFunc("POST /agent/v1/password", d.password)
	mux.HandleFunc("GET /agent/v1/gossip", d.gossip)
	mux.HandleFunc("GET /agent/v1/images/{sha256}", d.image)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := wire.Peer(r); err != nil {
			d.fail(w, r, err)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// mustBe refuses a host that speaks for another one: who calls is what its
// certificate says.
func mustBe(r *http.Request, host string) error {
	who, err := wire.Peer(r)
	if err == nil && (who.Role != pki.Agent || who.ID != host) {
		err = errs.Errorf("agentapi.host", errs.Forbidden, "%s does not speak for host %s.", who, host)
	}
	return err
}

// onlyOne refuses what a second machine says of a host: a disk was copied. It
// may try again, and is heard when the first one is gone.
func (d *Door) onlyOne(host, instance string) error {
	if d.Rival != nil && d.Rival(host, instance) {
		return errs.Errorf("agentapi.rival", errs.Unavailable, "Another machine holds the lease of host %s: is one of them a copy of the other's disk?", host)
	}
	return nil
}

func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := errs.KindOf(err)
	level := slog.LevelWarn
	switch {
	case kind == errs.NotFound || r.Context().Err() != nil:
		level = slog.LevelDebug // a host that is not registered yet, as each is once; or one that went away
	case kind == errs.Unavailable && d.Peek().Cluster() == nil:
		level = slog.LevelInfo // this node has just entered, and has nothing of the state yet
	}
	d.Log.Log(r.Context(), level, "agent's call failed", "path", r.URL.Path, "error", err)
	d.answer(w, kind.HTTPStatus(), map[string]any{"error": map[string]string{"kind": kind.String(), "message": errs.Message(err)}})
}

func (d *Door) answer(w http.ResponseWriter, status int, value any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		d.Log.Debug("an agent went away", "error", err)
	}
}

// decode reads a bounded, strict JSON body.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return errs.Errorf("agentapi.body", errs.TooLarge, "A body has at most %d bytes here.", maxBody)
	}
	if err != nil {
		return errs.E("agentapi.body", errs.Invalid, "The body is not understood: "+err.Error(), nil)
	}
	return nil
}

// propose puts a host's command in the log.
func (d *Door) propose(ctx context.Context, host string, c command.Command) error {
	_, err := d.Cluster.Propose(ctx, command.Envelope{ID: d.NewID(), By: command.By{System: command.HostBy + host}, Command: c})
	return err
}

func (d *Door) register(w http.ResponseWriter, r *http.Request) {
	var in assign.Capacity
	if err := decode(w, r, &in); err != nil {
		d.fail(w, r, err)
		return
	}
	if err := mustBe(r, in.HostID); err != nil {
		d.fail(w, r, err)
		return
	}
	if err := d.onlyOne(in.HostID, in.Instance); err != nil {
		d.fail(w, r, err)
		return
	}
	err := d.propose(r.Context(), in.HostID, &command.HostRegister{
		ID: model.HostID(in.HostID), Name: in.Name, Address: in.Address, Zone: in.Zone, Tunnel: in.Tunnel,
		VCPUs: in.VCPUs, RAM: in.RAM, Disk: in.Disk, Archs: in.Archs, Hypervisor: in.Hypervisor,
		HypervisorVersion: in.HypervisorVersion, CPUInfo: in.CPUInfo, BootID: in.BootID, AgentVersion: in.Version, Seq: in.Seq,
		VCPURatio: in.VCPURatio, RAMRatio: in.RAMRatio, DiskRatio: in.DiskRatio})
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) report(w http.ResponseWriter, r *http.Request) {
	var in assign.Report
	if err := decode(w, r, &in); err != nil {
		d.fail(w, r, err)
		return
	}
	if err := mustBe(r, in.HostID); err != nil {
		d.fail(w, r, err)
		return
	}
	if err := d.onlyOne(in.HostID, in.Instance); err != nil {
		d.fail(w, r, err)
		return
	}
	c := &command.HostReport{HostID: model.HostID(in.HostID), Seq: in.Seq}
	for _, g := range in.Guests {
		c.Guests = append(c.Guests, command.GuestObserved{ID: model.ServerID(g.ID), Permit: g.Permit, State: string(g.State),
			PowerEpoch: g.PowerEpoch, RebootEpoch: g.RebootEpoch, StoppedItself: g.StoppedItself, Fault: g.Fault})
	}
	if err := d.propose(r.Context(), in.HostID, c); err != nil {
		d.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
