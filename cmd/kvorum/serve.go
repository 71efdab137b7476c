package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/kvorum/kvorum/api/agentapi"
	"github.com/kvorum/kvorum/api/compute"
	"github.com/kvorum/kvorum/api/identity"
	"github.com/kvorum/kvorum/api/image"
	"github.com/kvorum/kvorum/api/joinapi"
	"github.com/kvorum/kvorum/api/network"
	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/api/peerapi"
	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/seal"
	"github.com/kvorum/kvorum/internal/wire"
	"github.com/kvorum/kvorum/leader"
)

// servers are the HTTP servers of a node.
type servers struct {
	public net.Addr
	log    *slog.Logger
	failed chan<- error
	all    []*http.Server
}

// serve opens all doors; a failure later on is told to failed.
func (n *controlNode) serve(failed chan<- error) (*servers, error) {
	s := &servers{log: n.log.With("part", "http"), failed: failed}
	s.on(n.port.Listener(pki.Peer), n.peerDoor().Handler())
	s.on(n.port.Listener(pki.Agents), n.agentDoor().Handler())
	s.on(n.port.Listener(pki.Images), n.imageDoor().Handler())
	s.on(n.port.Listener(pki.Join), n.joinDoor().Handler())
	if err := s.socket(n.file(operatorSocket), n.verbs().Handler()); err != nil {
		return s, err
	}
	var err error
	s.public, err = s.open(n.conf.Public.Listen, n.publicHandler())
	return s, err
}

func (s *servers) open(addr string, h http.Handler) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, errs.E("serve.listen", errs.Internal, "", err)
	}
	s.on(l, h)
	return l.Addr(), nil
}

// socket serves on a socket of this machine, in a folder that only its owner
// may enter. What
// a process that was killed left there is removed; raft's own lock has made
// sure that no other process runs on the folder.
func (s *servers) socket(file string, h http.Handler) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.E("serve.socket", errs.Internal, "", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return errs.E("serve.socket", errs.Internal, "", err)
	}
	l, err := net.Listen("unix", file)
	if err != nil {
		return errs.E("serve.socket", errs.Internal, "", err)
	}
	s.on(l, h)
	return nil
}

// on serves on a listener until stop.
func (s *servers) on(l net.Listener, h http.Handler) {
	srv := wire.Server(h, s.log)
	s.all = append(s.all, srv)
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
}

// stop lets requests under way end, for a while, and then ends the listeners.
func (s *servers) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, srv := range s.all {
		if err := srv.Shutdown(ctx); err != nil {
			srv.Close()
		}
	}
}

// catalog is what clients find, by service type.
var catalog = []identity.Service{
	{Type: "identity", Name: "keystone", Path: "/identity"},
	{Type: "compute", Name: "nova", Path: "/compute/v2.1"},
	{Type: "image", Name: "glance", Path: "/image"},
	{Type: "network", Name: "neutron", Path: "/network"},
}

// publicHandler is everything that users and operators reach.
func (n *controlNode) publicHandler() http.Handler {
	tokens := identity.NewTokens(n.box, n.conf.Control.TokenLife.D())
	shell := &rest.Shell{Cluster: n.cluster, Auth: tokens, Clock: n.clock, Log: n.log.With("part", "api"),
		PublicURL: n.conf.Public.URL, Timeout: n.conf.Public.Timeout.D(),
		Slots: make(chan struct{}, n.conf.Public.MaxRequests), Observe: n.metrics.Observe}
	id := &identity.Door{Tokens: tokens, Passwords: n.passwords, Services: catalog, Region: n.conf.Control.Region}
	nova := &compute.Door{Seal: func(b []byte) ([]byte, error) { return n.box.Seal(agentapi.SealedUserData, b) },
		Open:         func(b []byte) ([]byte, error) { return n.box.Open(agentapi.SealedUserData, b) },
		OpenPassword: func(b []byte) ([]byte, error) { return n.box.Open(agentapi.SealedPassword, b) },
		Consoles:     newConsoles(n.endpoint)}
	glance := &image.Door{Store: n.images, MaxBytes: n.conf.Public.MaxImageBytes, Spread: n.replicas.Spread, Fetch: n.replicas.Open}
	neutron := &network.Door{}

	r := chi.NewRouter()
	shell.Front(r, identity.Dialect("/identity"), id.Routes())
	shell.Front(r, compute.Dialect("/compute"), nova.Routes())
	shell.Front(r, compute.Dialect(""), nova.Routes())
	shell.Front(r, image.Dialect("/image"), glance.Routes())
	shell.Front(r, network.Dialect("/network"), neutron.Routes())
	n.operatorDoor().Register(r)
	shell.Elsewhere(r, identity.Dialect(""))
	return indexed(n.raft.AppliedIndex, r)
}

// indexed lets every answer say a state's index: the doors name the one that
// they looked at, and what looks at none has what this node has applied.
func indexed(applied func() uint64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Index", strconv.FormatUint(applied(), 10))
		next.ServeHTTP(w, r)
	})
}

func (n *controlNode) agentDoor() *agentapi.Door {
	return &agentapi.Door{Cluster: n.cluster, Peek: n.machine.View, Feed: n.machine.Feed(),
		Lease: n.register.Renew, Rival: n.register.Rival, Gossip: n.gossip.tell,
		Opener: n.box, Seal: n.box.Seal, Images: imageFiles{n.images}, Clock: n.clock,
		Log: n.log.With("part", "agentapi"), NewID: uuid.NewString}
}

func (n *controlNode) peerDoor() *peerapi.Door {
	return &peerapi.Door{Node: n.cluster, MaxCommand: command.MaxBytes, AnswerPoll: n.answerPoll, MaxPoll: leader.MaxPollBytes, Log: n.log.With("part", "peerapi")}
}

func (n *controlNode) joinDoor() *joinapi.Door {
	return &joinapi.Door{Cluster: n.cluster, Opener: n.box, Clock: n.clock, Log: n.log.With("part", "joinapi"),
		DataKey: func() ([]byte, error) { return seal.Key(n.file(dataKeyFile)) }}
}

func (n *controlNode) operatorDoor() *operator.Door {
	return &operator.Door{Metrics: n.metrics, Token: n.conf.Metrics.Token,
		Ready: func() string {
			if id, _ := n.raft.Leader(); id == "" {
				return "no leader is known"
			}
			if n.machine.View().Cluster() == nil {
				return "the cluster is not initialized yet"
			}
			return ""
		},
		Facts: func() map[string]any {
			v := n.machine.View()
			role := n.raft.Role()
			return map[string]any{"version": version, "node": n.conf.Node, "id": n.id, "cluster": n.raft.ClusterID(), "voters": n.raft.Stats().Voters,
				"role": role.State.String(), "term": role.Term, "index": v.Index, "hash": v.Hash().String()}
		}}
}
