package agentapi

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Bounds of this front door: one report's bytes, and how long a watch may
// wait. A watch renews the lease only when it begins, so that it must be well
// shorter than the lease.
const (
	maxBody = 1 << 20
	maxWait = 3 * time.Second
)

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
	// when it is worth to ask for a read point.
	Peek func() state.View
	Feed *state.Feed
	// Renew is told of every call of a host.
	Renew  func(host string)
	Opener Opener
	Images Images
	// Token is the agents' secret.
	Token string
	Clock clock.Clock
	Log   *slog.Logger
	// NewID makes the id of a command.
	NewID func() string
}

// Handler serves the front door below /agent/v1/.
func (d *Door) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /agent/v1/desired", d.desired)
	mux.HandleFunc("POST /agent/v1/register", d.register)
	mux.HandleFunc("POST /agent/v1/report", d.report)
	mux.HandleFunc("GET /agent/v1/images/{sha256}", d.image)
	want := []byte("Bearer " + d.Token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			d.fail(w, r, errs.Errorf("agentapi.auth", errs.Unauthorized, "The agent's secret is not this cluster's."))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := errs.KindOf(err)
	d.Log.Warn("agent's call failed", "path", r.URL.Path, "error", err)
	d.answer(w, kind.HTTPStatus(), map[string]any{"error": map[string]string{"kind": kind.String(), "message": errs.Message(err)}})
}

func (d *Door) answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
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
	err := d.propose(r.Context(), in.HostID, &command.HostRegister{
		ID: model.HostID(in.HostID), Name: in.Name, Address: in.Address, Zone: in.Zone,
		VCPUs: in.VCPUs, RAM: in.RAM, Disk: in.Disk, Archs: in.Archs, Hypervisor: in.Hypervisor,
		HypervisorVersion: in.HypervisorVersion, CPUInfo: in.CPUInfo, BootID: in.BootID, AgentVersion: in.Version,
		VCPURatio: in.VCPURatio, RAMRatio: in.RAMRatio, DiskRatio: in.DiskRatio})
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.Renew(in.HostID)
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) report(w http.ResponseWriter, r *http.Request) {
	var in assign.Report
	if err := decode(w, r, &in); err != nil {
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
	d.Renew(in.HostID)
	w.WriteHeader(http.StatusNoContent)
}

// desired waits until the host's desired state has another digest than the
// agent's, or its time is over. Waiting costs a look at this node's own state
// per change; only an answer costs a read point.
func (d *Door) desired(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	host, have := q.Get("host"), q.Get("digest")
	wait, err := time.ParseDuration(q.Get("wait"))
	if err != nil || wait < 0 || !model.IsUUID(host) {
		d.fail(w, r, errs.Errorf("agentapi.desired", errs.Invalid, "host must be a UUID and wait a duration"))
		return
	}
	d.Renew(host)
	end := d.Clock.After(min(wait, maxWait))
	for {
		changed := d.Feed.Wait()
		if got, err := d.assigned(d.Peek(), host); err != nil || got.Digest != have {
			d.sendDesired(w, r, host, have)
			return
		}
		select {
		case <-changed:
		case <-end:
			w.WriteHeader(http.StatusNoContent)
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (d *Door) sendDesired(w http.ResponseWriter, r *http.Request, host, have string) {
	v, err := d.Cluster.Read(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	got, err := d.assigned(v, host)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	if got.Digest == have {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	d.answer(w, http.StatusOK, got)
}

// assigned is the desired state with its secrets opened, for the agent alone.
func (d *Door) assigned(v state.View, host string) (assign.Desired, error) {
	if v.Host(model.HostID(host)) == nil {
		return assign.Desired{}, errs.Errorf("agentapi.desired", errs.NotFound, "Host %s is not registered.", host)
	}
	out := state.Desired(v, model.HostID(host))
	sealed := false
	for i, g := range out.Guests {
		if len(g.UserData) == 0 {
			continue
		}
		plain, err := d.Opener.Open(SealedUserData, g.UserData)
		if err != nil {
			return assign.Desired{}, err
		}
		out.Guests[i].UserData, sealed = plain, true
	}
	if sealed {
		out.Digest = out.Sum()
	}
	return out, nil
}

func (d *Door) image(w http.ResponseWriter, r *http.Request) {
	sum := r.PathValue("sha256")
	v, err := d.Cluster.Read(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	known := false
	for range v.ImagesWithBytes(sum) {
		known = true
		break
	}
	if !known {
		d.fail(w, r, errs.Errorf("agentapi.image", errs.NotFound, "There is no image with these bytes."))
		return
	}
	body, size, err := d.Images.Open(sum)
	if errs.Is(err, errs.NotFound) {
		err = errs.E("agentapi.image", errs.Unavailable, "The image's bytes are not on this node yet.", err)
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	defer body.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if _, err := io.Copy(w, body); err != nil {
		d.Log.Debug("an agent went away", "path", r.URL.Path, "error", err)
	}
}
