package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"sync"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/gossip"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/raftnode"
)

// The pools: the control nodes' own, and the agents', which control nodes join.
const (
	controlPool = "control"
	agentsPool  = "agents"
)

// noGossip is the setting of a node that does not gossip.
const noGossip = "none"

// libraryMetrics collects what raft and Serf report, of all that runs in this
// process. It must be there before they are opened, and only once: the library
// that they share has one place for it.
var libraryMetrics = sync.OnceValues(raftnode.CollectMetrics)

// gossipPlace is where a node gossips.
type gossipPlace struct {
	// listen is host:port; empty if the node does not gossip. advertise is where
	// others reach that, empty for listen; its port 0 stands for listen's.
	listen, advertise string
	// why says why it does not gossip, if nobody said that it should not.
	why string
}

// placeGossip finds where a node gossips: as is set, or beside its internal
// port, which has an address to listen on and one that others reach.
func placeGossip(role string, c config.Gossip, listen, advertise string) (p gossipPlace, err error) {
	const op = "main.gossip"
	if c.Listen == noGossip {
		return p, nil
	}
	if p.listen = c.Listen; p.listen == "" {
		if p.listen, err = portAfter(listen); err != nil {
			return gossipPlace{why: err.Error()}, nil
		}
	}
	host, _, err := net.SplitHostPort(p.listen)
	if err != nil {
		return p, errs.Errorf(op, errs.Invalid, "%s.gossip.listen: %q is neither host:port nor %s", role, c.Listen, noGossip)
	}
	if p.advertise = c.Advertise; p.advertise != "" {
		if h, port, err := net.SplitHostPort(p.advertise); err != nil || h == "" || port == "0" {
			return p, errs.Errorf(op, errs.Invalid, "%s.gossip.advertise: %q is not a host:port that others reach", role, c.Advertise)
		}
	} else if reach, _, err := net.SplitHostPort(advertise); err == nil && reach != "" && reach != host {
		p.advertise = net.JoinHostPort(reach, "0")
	}
	if p.advertise == "" && anyAddress(host) {
		if c.Listen != "" {
			return p, errs.Errorf(op, errs.Invalid, "%s.gossip.listen: %s says nothing to others; set %s.gossip.advertise, too", role, c.Listen, role)
		}
		return gossipPlace{why: role + ".listen says not where others reach this node; set " + role + ".gossip.listen or " + role + ".advertise"}, nil
	}
	return p, nil
}

// portAfter is the address whose port is the next one; a free port stays one.
func portAfter(address string) (string, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	port, err := net.LookupPort("tcp", text)
	if err != nil {
		return "", err
	}
	if port == 1<<16-1 {
		return "", errs.Errorf("main.gossip", errs.Invalid, "there is no port after %d", port)
	}
	if port != 0 {
		port++
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
}

// anyAddress tells whether a host to listen on stands for all addresses.
func anyAddress(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// gossiper is a node's part in gossip: one port, and a keeper for each pool that
// the node is in.
type gossiper struct {
	port      *gossip.Port
	advertise string
	keepers   []*gossip.Keeper
	clock     clock.Clock
	log       *slog.Logger
}

// openGossip opens the port; nil if the node does not gossip.
func openGossip(role string, p gossipPlace, clk clock.Clock, log *slog.Logger) (*gossiper, error) {
	const op = "main.gossip"
	if p.listen == "" {
		if p.why != "" {
			log.Warn("this node does not gossip", "why", p.why)
		}
		return nil, nil
	}
	at, err := net.ResolveTCPAddr("tcp", p.listen)
	if err != nil {
		return nil, errs.Errorf(op, errs.Invalid, "%s.gossip.listen: %s is no address to listen on: %v", role, p.listen, err)
	}
	if at.IP == nil {
		at.IP = net.IPv6unspecified
	}
	g := &gossiper{advertise: p.advertise, clock: clk, log: log}
	if g.port, err = gossip.Listen(at.AddrPort().String(), log); err != nil {
		return nil, errs.Errorf(op, errs.KindOf(err), "The gossip port %s (UDP and TCP) can't be had; %s.gossip.listen sets another one, or %s: %v",
			p.listen, role, noGossip, err)
	}
	if host, port, err := net.SplitHostPort(g.advertise); err == nil && port == "0" {
		g.advertise = net.JoinHostPort(host, strconv.Itoa(int(g.port.Addr().Port())))
	}
	return g, nil
}

// keep makes the keeper of a pool. c says what is the pool's own.
func (g *gossiper) keep(c gossip.Config, facts func() (gossip.Facts, error)) (*gossip.Keeper, error) {
	c.Port, c.Advertise, c.Version, c.Clock, c.Log = g.port, g.advertise, version, g.clock, g.log
	k, err := gossip.NewKeeper(c, facts)
	if err == nil {
		g.keepers = append(g.keepers, k)
	}
	return k, err
}

// run gossips until ctx ends, and says farewell.
func (g *gossiper) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, k := range g.keepers {
		all.Go(func() { k.Run(ctx) })
	}
	all.Wait()
}

// join joins others in all pools.
func (g *gossiper) join(ctx context.Context, addresses []string) {
	for _, k := range g.keepers {
		if p := k.Pool(); p != nil && len(addresses) > 0 {
			if _, err := p.Join(ctx, addresses); err != nil && !errors.Is(err, context.Canceled) {
				g.log.Debug("others could not be joined", "pool", k.Name(), "addresses", addresses, "error", err)
			}
		}
	}
}

// close ends the port.
func (g *gossiper) close() error {
	if g == nil {
		return nil
	}
	return g.port.Close()
}
