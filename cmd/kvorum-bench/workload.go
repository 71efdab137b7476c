package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// workload makes the commands that are measured. They are the same on every
// node, but for the ids of requests and of what is made.
type workload interface {
	// prepare gives what must be in the log first: each list can be proposed
	// at once, after the one before.
	prepare() [][]command.Command
	// command makes the i-th command, out of ids.
	command(i int, ids *idPool) command.Command
}

var workloads = map[string]workload{"update": updates{}, "create": creates{}}

// The people and things that every workload begins with.
const (
	benchProject = model.ProjectID("000000000000000000000000000000a1")
	benchUser    = model.UserID("000000000000000000000000000000b1")
	benchImage   = model.ImageID("7a3b4c5d-0000-4000-8000-0000000000d1")
	benchNetwork = model.NetworkID("8b3b4c5d-0000-4000-8000-0000000000e1")
	benchSubnet  = model.SubnetID("9c3b4c5d-0000-4000-8000-0000000000f1")
)

var benchSize = model.Size{FlavorID: "1", FlavorName: "m1.tiny", VCPUs: 1, RAM: 512, Disk: 1}

// envelope is a command as its user asks for it.
func envelope(id string, c command.Command) command.Envelope {
	by := command.By{UserID: benchUser, ProjectID: benchProject, Admin: true, UserEpoch: 1, ProjectEpoch: 1}
	if c.Kind() == "cluster.init/1" {
		by = command.By{System: command.Bootstrap}
	}
	return command.Envelope{ID: id, By: by, Command: c}
}

// idPool gives random UUIDs that were made before they are needed.
type idPool struct {
	text string
	next int
}

const uuidLength = 36

func newIDs(n int) (*idPool, error) {
	raw := make([]byte, 16*n)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	b := make([]byte, 0, uuidLength*n)
	for ; len(raw) > 0; raw = raw[16:] {
		for i, part := range [][]byte{raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:16]} {
			if i > 0 {
				b = append(b, '-')
			}
			b = hex.AppendEncode(b, part)
		}
	}
	return &idPool{text: string(b)}, nil
}

func (p *idPool) take() string {
	id := p.text[p.next : p.next+uuidLength]
	p.next += uuidLength
	return id
}

// idsPerCommand is the most that a command needs, its request's included.
const idsPerCommand = 3

// seed makes the cloud that servers can be made in.
func seed() [][]command.Command {
	unlimited := &command.QuotaSet{ProjectID: benchProject, Limits: []command.QuotaLimit{
		{Resource: "cores", Limit: model.Unlimited}, {Resource: "instances", Limit: model.Unlimited},
		{Resource: "port", Limit: model.Unlimited}, {Resource: "ram", Limit: model.Unlimited}}}
	return [][]command.Command{
		{command.Example("cluster.init/1")},
		{unlimited,
			&command.ImageCreate{ID: benchImage, ProjectID: benchProject, Name: "i", Visibility: "public", DiskFormat: "raw", ContainerFormat: "bare"},
			&command.NetworkCreate{ID: benchNetwork, ProjectID: benchProject, Name: "n"}},
		{&command.ImageUpload{ID: benchImage, SHA256: fmt.Sprintf("%064d", 1), SHA512: fmt.Sprintf("%0128d", 1), MD5: fmt.Sprintf("%032d", 1), Size: 1, VirtualSize: 1},
			&command.SubnetCreate{ID: benchSubnet, NetworkID: benchNetwork, ProjectID: benchProject, Name: "s", CIDR: "10.0.0.0/8", Gateway: "10.0.0.1"}},
	}
}

func newServer(id, name string) *command.ServerCreate {
	return &command.ServerCreate{ProjectID: benchProject, UserID: benchUser, ImageID: benchImage, Size: benchSize, ReservationID: "r-bench",
		Items: []command.ServerItem{{ID: model.ServerID(id), Name: name, Hostname: name}}}
}

// updates renames one of a thousand servers: a small update.
type updates struct{}

const updatedServers = 1000

// updatedID names the n-th of them, the same on every node.
var updatedID = func() (ids [updatedServers]model.ServerID) {
	random := mathrand.NewChaCha8([32]byte{1})
	for i := range ids {
		id, err := uuid.NewRandomFromReader(random)
		if err != nil {
			panic(err) // this source never fails
		}
		ids[i] = model.ServerID(id.String())
	}
	return ids
}()

func (updates) prepare() [][]command.Command {
	var servers []command.Command
	for _, id := range updatedID {
		servers = append(servers, newServer(string(id), "s"))
	}
	return append(seed(), servers)
}

func (updates) command(i int, _ *idPool) command.Command {
	name := "renamed-" + strconv.Itoa(i)
	return &command.ServerUpdate{ID: updatedID[i*7919%updatedServers], Name: &name}
}

// creates makes servers, each with a port and an address.
type creates struct{}

func (creates) prepare() [][]command.Command { return seed() }

func (creates) command(i int, ids *idPool) command.Command {
	id, port := ids.take(), ids.take()
	c := newServer(id, "s-"+strconv.Itoa(i))
	mac := "02:" + id[0:2] + ":" + id[2:4] + ":" + id[4:6] + ":" + id[6:8] + ":" + id[9:11]
	c.Items[0].NICs = []command.ServerNIC{{PortID: model.PortID(port), NetworkID: benchNetwork, MAC: mac}}
	return c
}
