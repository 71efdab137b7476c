package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/kvorum/kvorum/api/agentapi"
	"github.com/kvorum/kvorum/api/compute"
	"github.com/kvorum/kvorum/api/identity"
	"github.com/kvorum/kvorum/api/image"
	"github.com/kvorum/kvorum/api/network"
	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// servers are the listeners of a control node.
type servers struct {
	public, internal net.Addr
	all              []*http.Server
}

// serve opens both listeners; a failure later on is told to failed.
func (n *controlNode) serve(failed chan<- error) (*servers, error) {
	s := &servers{}
	var err error
	if s.public, err = s.open(n.conf.Public.Listen, n.publicHandler(), failed); err != nil {
		return s, err
	}
	s.internal, err = s.open(n.conf.Control.Listen, n.agentDoor().Handler(), failed)
	return s, err
}

func (s *servers) open(addr string, h http.Handler, failed chan<- error) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, errs.E("serve.listen", errs.Internal, "", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	s.all = append(s.all, srv)
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	return l.Addr(), nil
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
		Open:     func(b []byte) ([]byte, error) { return n.box.Open(agentapi.SealedUserData, b) },
		Consoles: newConsoles(n.secret)}
	glance := &image.Door{Store: n.images, MaxBytes: n.conf.Public.MaxImageBytes}
	neutron := &network.Door{}

	r := chi.NewRouter()
	shell.Front(r, identity.Dialect("/identity"), id.Routes())
	shell.Front(r, compute.Dialect("/compute"), nova.Routes())
	shell.Front(r, compute.Dialect(""), nova.Routes())
	shell.Front(r, image.Dialect("/image"), glance.Routes())
	shell.Front(r, network.Dialect("/network"), neutron.Routes())
	n.operatorDoor().Register(r)
	return r
}

func (n *controlNode) agentDoor() *agentapi.Door {
	return &agentapi.Door{Cluster: n.cluster, Peek: n.machine.View, Feed: n.machine.Feed(),
		Renew:  func(host string) { n.leases.Renew(host, n.clock.Mono()) },
		Opener: n.box, Images: imageFiles{n.images}, Token: n.secret, Clock: n.clock,
		Log: n.log.With("part", "agentapi"), NewID: uuid.NewString}
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
			return map[string]any{"version": version, "node": n.conf.Node, "cluster": n.raft.ClusterID(),
				"role": role.State.String(), "term": role.Term, "index": v.Index, "hash": v.Hash().String()}
		}}
}
