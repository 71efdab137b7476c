package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kvorum/kvorum/api/joinapi"
	"github.com/kvorum/kvorum/gossip"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
)

const (
	// seekSoon and seekLate are how often a control node asks others, which it
	// does not see in the pool, where they gossip: at first, and in the end.
	seekSoon = time.Second
	seekLate = 10 * time.Second
	// seekTime bounds one such question.
	seekTime = 3 * time.Second
)

// controlGossip is a control node's part in gossip: in the control nodes' own
// pool and in the agents'. Nothing that it finds is ever proposed to the log.
type controlGossip struct {
	*gossiper
	n               *controlNode
	control, agents *gossip.Keeper

	mu sync.Mutex
	at map[model.NodeID]string // where other control nodes gossip, as they said
}

// openGossip opens the port; what keeps the pools comes later, with the node's
// identity.
func (n *controlNode) openGossip() error {
	p, err := placeGossip("control", n.conf.Control.Gossip, n.conf.Control.Listen, n.conf.Control.Advertise)
	if err != nil {
		return err
	}
	g, err := openGossip("control", p, n.clock, n.log.With("part", "gossip"))
	if g != nil {
		n.gossip = &controlGossip{gossiper: g, n: n, at: map[model.NodeID]string{}}
	}
	return err
}

// keepPools makes the keepers of the pools.
func (g *controlGossip) keepPools() (err error) {
	if g == nil {
		return nil
	}
	c := gossip.Config{Name: g.n.id, Pool: controlPool, Role: gossip.Control, RPC: g.n.advertised(), Seeds: g.seeds}
	if g.control, err = g.keep(c, g.controlFacts); err != nil {
		return err
	}
	c.Pool = agentsPool
	g.agents, err = g.keep(c, g.agentsFacts)
	return err
}

// controlFacts are those of the control nodes' pool.
func (g *controlGossip) controlFacts() (gossip.Facts, error) {
	v := g.n.machine.View()
	c, a := v.Cluster(), v.Authority()
	if c == nil || a == nil {
		return gossip.Facts{}, errs.Errorf("control.gossip", errs.NotFound, "The cluster is not initialized yet.")
	}
	key, err := g.n.box.Open(joinapi.SealedGossipKey, a.GossipKey)
	return gossip.Facts{Cluster: assign.GossipLabel(c.ID, c.Incarnation), Key: key}, err
}

// agentsFacts are those of the agents' pool.
func (g *controlGossip) agentsFacts() (gossip.Facts, error) {
	f, err := g.controlFacts()
	if err == nil {
		f.Key, err = pki.AgentsGossipKey(f.Key)
	}
	return f, err
}

// tell is what an agent is told. Where to begin are control nodes, by the pool
// in which nobody else is.
func (g *controlGossip) tell() (out assign.Gossip, err error) {
	if g == nil {
		return out, errs.Errorf("control.gossip", errs.NotFound, "This control node does not gossip.")
	}
	f, err := g.agentsFacts()
	c := g.n.machine.View().Cluster()
	if err != nil || c == nil {
		return out, err
	}
	out = assign.Gossip{ClusterID: c.ID, Incarnation: c.Incarnation, Key: f.Key}
	for _, m := range g.control.Members() {
		if m.Status == gossip.Alive && len(out.Seeds) < assign.MaxSeeds {
			out.Seeds = append(out.Seeds, m.Address.String())
		}
	}
	return out, nil
}

// address is where this node gossips, as others see it; empty if it does not.
func (g *controlGossip) address() string {
	if g == nil {
		return ""
	}
	if p := g.control.Pool(); p != nil {
		return p.Addr().String()
	}
	return ""
}

// seeds are where other control nodes gossip.
func (g *controlGossip) seeds() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Values(g.at))
}

// run gossips until ctx ends.
func (g *controlGossip) run(ctx context.Context) {
	if g == nil {
		return
	}
	var seeking sync.WaitGroup
	seeking.Go(func() { g.seek(ctx) })
	g.gossiper.run(ctx)
	seeking.Wait()
}

// seek keeps asking those control nodes that the state knows and the pool does
// not show where they gossip: over TLS, so that the answer is theirs.
func (g *controlGossip) seek(ctx context.Context) {
	pause, nodes := seekSoon, 0
	for ctx.Err() == nil {
		missing := g.missing()
		if now := g.n.machine.View().ControlNodeCount(); len(missing) == 0 || now != nodes {
			pause, nodes = seekSoon, now
		}
		var fresh []string
		for _, c := range missing {
			if at := g.ask(ctx, c); at != "" {
				fresh = append(fresh, at)
			}
		}
		g.join(ctx, fresh)
		_ = clock.Sleep(ctx, g.clock, pause) // the loop's condition tells
		pause = min(2*pause, seekLate)
	}
}

// missing are the other control nodes that are not alive in the pool. Those that
// the state does not know any more are forgotten.
func (g *controlGossip) missing() (out []*model.ControlNode) {
	alive := map[string]bool{g.n.id: true}
	for _, m := range g.control.Members() {
		alive[m.Name] = alive[m.Name] || m.Status == gossip.Alive
	}
	v := g.n.machine.View()
	for c := range v.ControlNodes() {
		if !alive[string(c.ID)] {
			out = append(out, c)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.at, func(id model.NodeID, _ string) bool { return v.ControlNode(id) == nil })
	return out
}

// ask asks a control node where it gossips; empty if it does not say.
func (g *controlGossip) ask(ctx context.Context, c *model.ControlNode) string {
	ctx, cancel := context.WithTimeout(ctx, seekTime)
	defer cancel()
	s, err := g.n.peers.Status(ctx, c.Address)
	if err != nil || s.Gossip == "" {
		g.log.Debug("a control node does not say where it gossips", "node", c.Name, "error", err)
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at[c.ID] = s.Gossip
	return s.Gossip
}
