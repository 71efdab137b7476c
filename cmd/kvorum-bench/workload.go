package main

import (
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/raftnode"
)

// workload makes the commands that are measured.
type workload interface {
	// prepare gets the state that the commands need into the log.
	prepare(propose func(data []byte) error) error
	// command makes the i-th command of a caller. Callers run concurrently.
	command(caller int, i uint64) []byte
}

// The people and things that every workload begins with.
const (
	benchProject = model.ProjectID("000000000000000000000000000000a1")
	benchUser    = model.UserID("000000000000000000000000000000b1")
	benchImage   = model.ImageID("00000000-0000-4000-8000-0000000000d1")
	benchNetwork = model.NetworkID("00000000-0000-4000-8000-0000000000e1")
)

var benchSize = model.Size{FlavorID: "1", FlavorName: "m1.tiny", VCPUs: 1, RAM: 512, Disk: 1}

func asAdmin() command.By {
	return command.By{UserID: benchUser, ProjectID: benchProject, Admin: true, UserEpoch: 1, ProjectEpoch: 1}
}

func encode(by command.By, c command.Command) []byte {
	b, err := command.Encode(command.Envelope{ID: uuid.NewString(), By: by, Command: c})
	if err != nil {
		panic(err) // a workload of ours that does not encode is a defect
	}
	return b
}

// seed makes the cloud that servers can be made in.
func seed(propose func([]byte) error) error {
	c := command.Example("cluster.init/1")
	unlimited := &command.QuotaSet{ProjectID: benchProject, Limits: []command.QuotaLimit{
		{Resource: "cores", Limit: model.Unlimited}, {Resource: "instances", Limit: model.Unlimited},
		{Resource: "port", Limit: model.Unlimited}, {Resource: "ram", Limit: model.Unlimited}}}
	for _, data := range [][]byte{
		encode(command.By{System: command.Bootstrap}, c),
		encode(asAdmin(), unlimited),
		encode(asAdmin(), &command.ImageCreate{ID: benchImage, ProjectID: benchProject, Name: "i", Visibility: "public", DiskFormat: "raw", ContainerFormat: "bare"}),
		encode(asAdmin(), &command.ImageUpload{ID: benchImage, SHA256: fmt.Sprintf("%064d", 1), SHA512: fmt.Sprintf("%0128d", 1), MD5: fmt.Sprintf("%032d", 1), Size: 1, VirtualSize: 1}),
		encode(asAdmin(), &command.NetworkCreate{ID: benchNetwork, ProjectID: benchProject, Name: "n"}),
		encode(asAdmin(), &command.SubnetCreate{ID: model.SubnetID(uuid.NewString()), NetworkID: benchNetwork, ProjectID: benchProject, Name: "s", CIDR: "10.0.0.0/8", Gateway: "10.0.0.1"}),
	} {
		if err := propose(data); err != nil {
			return err
		}
	}
	return nil
}

func newServer(name string) *command.ServerCreate {
	id := uuid.New()
	mac := fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", id[0], id[1], id[2], id[3], id[4])
	return &command.ServerCreate{ProjectID: benchProject, UserID: benchUser, ImageID: benchImage, Size: benchSize, ReservationID: "r-bench",
		Items: []command.ServerItem{{ID: model.ServerID(id.String()), Name: name, Hostname: name,
			NICs: []command.ServerNIC{{PortID: model.PortID(uuid.NewString()), NetworkID: benchNetwork, MAC: mac}}}}}
}

// updates renames one of a thousand servers: a small update.
type updates struct{ ids []model.ServerID }

const updatedServers = 1000

func (w *updates) prepare(propose func([]byte) error) error {
	if err := seed(propose); err != nil {
		return err
	}
	for range updatedServers {
		c := newServer("s")
		c.Items[0].NICs = nil
		w.ids = append(w.ids, c.Items[0].ID)
		if err := propose(encode(asAdmin(), c)); err != nil {
			return err
		}
	}
	return nil
}

func (w *updates) command(caller int, i uint64) []byte {
	name := fmt.Sprintf("renamed-%d-%d", caller, i)
	return encode(asAdmin(), &command.ServerUpdate{ID: w.ids[(uint64(caller)*7919+i)%updatedServers], Name: &name})
}

// creates makes servers, each with a port and an address.
type creates struct{}

func (creates) prepare(propose func([]byte) error) error { return seed(propose) }

func (creates) command(caller int, i uint64) []byte {
	return encode(asAdmin(), newServer(fmt.Sprintf("s-%d-%d", caller, i)))
}

// replica fits the real state machine to the log.
type replica struct{ *fsm.Machine }

// ApplyBatch implements raftnode.StateMachine.
func (r replica) ApplyBatch(entries []raftnode.Entry) ([]any, error) {
	in := make([]fsm.Entry, len(entries))
	for i, e := range entries {
		in[i] = fsm.Entry{Index: e.Index, Term: e.Term, At: e.At, Data: e.Data}
	}
	out := make([]any, len(entries))
	for i, res := range r.Machine.ApplyBatch(in) {
		out[i] = res
	}
	return out, nil
}

// Snapshot implements raftnode.StateMachine.
func (r replica) Snapshot() (io.WriterTo, error) { return r.View(), nil }
