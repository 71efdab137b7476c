package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/kvorum/kvorum/gossip"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/wire"
)

// gossipFile holds how an agent gossips, and where it found others last. There
// is a secret in it.
const gossipFile = "gossip.json"

const (
	// lookSoon and lookLate are how long an agent waits before it looks again at
	// what gossip shows: at least, and at most. As long as it sees no control node
	// it asks one each time, from soon to late; else each askEvery: the key may
	// change.
	lookSoon = time.Second
	lookLate = 10 * time.Second
	askEvery = 10 * time.Minute
	// checksAtOnce bounds the control nodes that are looked into at one look, and
	// checkTime each of these.
	checksAtOnce = 8
	checkTime    = 3 * time.Second
	// keptControls and keptHosts bound the addresses that outlive the process.
	keptControls = 16
	keptHosts    = 16
)

// agentGossip is a host's part in gossip: it is in the agents' pool, and finds
// control nodes there. Whoever says in the pool to be one is called first, and
// must show a control node's certificate: all agents have the pool's key.
type agentGossip struct {
	*gossiper
	keeper *gossip.Keeper
	file   string
	nodes  *nodeList
	// ask asks a control node how to gossip; check calls one that gossip shows.
	ask   func(context.Context) (assign.Gossip, error)
	check func(ctx context.Context, m gossip.Member) error

	mu   sync.Mutex
	told assign.Gossip // what is in the file

	// These belong to look alone.
	asked   time.Duration
	checked map[string]bool // by id and address: shows the right certificate
}

// openGossip opens the port; what keeps the pool comes later, with the host's
// identity.
func (a *agent) openGossip() error {
	p, err := placeGossip("agent", a.conf.Agent.Gossip, a.conf.Agent.Listen, a.conf.Agent.Advertise)
	if err != nil {
		return err
	}
	g, err := openGossip("agent", p, a.clock, a.log.With("part", "gossip"))
	if g != nil {
		a.gossip = &agentGossip{gossiper: g, file: a.file(gossipFile), checked: map[string]bool{}}
	}
	return err
}

// keepPool makes the keeper of the pool. rpc is where control nodes reach the
// agent; ask is as in agentGossip.
func (a *agent) keepPool(rpc string, ask func(context.Context) (assign.Gossip, error)) (err error) {
	g := a.gossip
	if g == nil {
		return nil
	}
	g.nodes, g.ask, g.asked = a.nodes, ask, a.clock.Mono()-askEvery
	g.check = func(ctx context.Context, m gossip.Member) error {
		c, err := wire.Dial(ctx, m.RPC, a.endpoint.Client(pki.Agents, pki.Expect(pki.Control, m.Name)))
		if err != nil {
			return err
		}
		return c.Close()
	}
	if g.told, err = readGossip(g.file); err != nil {
		g.log.Warn("what was known of gossip is lost; a control node is asked", "error", err)
	}
	g.keeper, err = g.keep(gossip.Config{Name: a.id, Pool: agentsPool, Role: gossip.Agent, RPC: rpc, Seeds: g.seeds}, g.facts)
	return err
}

// readGossip reads what an agent knows of gossip; nothing if there is no file.
func readGossip(file string) (out assign.Gossip, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return assign.Gossip{}, errs.E("agent.gossip", errs.Invalid, file+" cannot be read", err)
	}
	return out, nil
}

func (g *agentGossip) facts() (gossip.Facts, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.told.ClusterID == "" {
		return gossip.Facts{}, errs.Errorf("agent.gossip", errs.NotFound, "No control node has told yet how to gossip.")
	}
	return gossip.Facts{Cluster: g.told.Label(), Key: g.told.Key}, nil
}

func (g *agentGossip) seeds() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.told.Seeds
}

// run gossips until ctx ends.
func (g *agentGossip) run(ctx context.Context) {
	if g == nil {
		return
	}
	var looking sync.WaitGroup
	looking.Go(func() {
		for pause := lookSoon; ctx.Err() == nil; {
			changed := g.keeper.Changed()
			if pause = min(2*pause, lookLate); g.look(ctx) {
				pause = lookLate
			}
			_ = clock.Sleep(ctx, g.clock, lookSoon) // the loop's condition tells
			select {
			case <-changed:
			case <-g.clock.After(pause - lookSoon):
			case <-ctx.Done():
			}
		}
	})
	g.gossiper.run(ctx)
	looking.Wait()
}

// look takes from the pool what is of use: control nodes, and where to begin the
// next time. If it shows no control node, which it tells, one is asked how to
// gossip.
func (g *agentGossip) look(ctx context.Context) (found bool) {
	var controls, hosts []gossip.Member
	self := g.keeper.Self()
	for _, m := range g.keeper.Members() {
		switch {
		case m.Status != gossip.Alive || m.Name == self:
		case m.Role == gossip.Control:
			controls = append(controls, m)
		default:
			hosts = append(hosts, m)
		}
	}
	controls = g.sure(ctx, controls)
	var addresses []string
	for _, m := range controls {
		addresses = append(addresses, m.RPC)
	}
	g.nodes.find(addresses)
	g.remember(controls, hosts)
	now := g.clock.Mono()
	found = len(controls) > 0
	if found && now-g.asked < askEvery || ctx.Err() != nil {
		return found
	}
	g.asked = now
	switch told, err := g.ask(ctx); {
	case err == nil:
		g.join(ctx, g.learn(told))
	case ctx.Err() == nil:
		g.log.Debug("no control node tells how to gossip", "error", err)
	}
	return found
}

// sure gives those that are control nodes indeed. Only some are called at one
// look, in no order that anybody could choose.
func (g *agentGossip) sure(ctx context.Context, all []gossip.Member) (out []gossip.Member) {
	id := func(m gossip.Member) string { return m.Name + " " + m.RPC }
	var doubtful []gossip.Member
	for _, m := range all {
		if !g.checked[id(m)] && m.RPC != "" {
			doubtful = append(doubtful, m)
		}
	}
	rand.Shuffle(len(doubtful), func(i, j int) { doubtful[i], doubtful[j] = doubtful[j], doubtful[i] })
	doubtful = doubtful[:min(len(doubtful), checksAtOnce)]
	good := make([]bool, len(doubtful))
	var calls sync.WaitGroup
	for i, m := range doubtful {
		calls.Go(func() { good[i] = g.shows(ctx, m) })
	}
	calls.Wait()
	checked := map[string]bool{}
	for _, m := range all {
		i := slices.IndexFunc(doubtful, func(d gossip.Member) bool { return id(d) == id(m) })
		if g.checked[id(m)] || i >= 0 && good[i] {
			checked[id(m)] = true
			out = append(out, m)
		}
	}
	g.checked = checked
	return out
}

// shows calls a member that says to be a control node.
func (g *agentGossip) shows(ctx context.Context, m gossip.Member) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	err := g.check(ctx, m)
	if err != nil {
		g.log.Debug("what gossip shows as a control node does not show a certificate of one", "node", m.Name, "address", m.RPC, "error", err)
	}
	return err == nil
}

// learn takes what a control node told, and gives the seeds that are new. Those
// that were known stay for as long as there is room.
func (g *agentGossip) learn(told assign.Gossip) (fresh []string) {
	g.mu.Lock()
	known := g.told.Seeds
	g.mu.Unlock()
	for _, s := range told.Seeds {
		if !slices.Contains(known, s) {
			fresh = append(fresh, s)
		}
	}
	told.Seeds = firstOf(assign.MaxSeeds, told.Seeds, known)
	g.store(told)
	return fresh
}

// remember keeps some addresses for when all control nodes that are known have
// gone. To see nobody is no news.
func (g *agentGossip) remember(controls, hosts []gossip.Member) {
	if len(controls)+len(hosts) == 0 {
		return
	}
	self := g.keeper.Self()
	// Each host keeps others of them, the same each time.
	slices.SortFunc(hosts, func(x, y gossip.Member) int { return cmp.Compare(mixed(self, x.Name), mixed(self, y.Name)) })
	var seeds []string
	for _, m := range slices.Concat(controls[:min(len(controls), keptControls)], hosts[:min(len(hosts), keptHosts)]) {
		seeds = append(seeds, m.Address.String())
	}
	g.mu.Lock()
	told := g.told
	g.mu.Unlock()
	told.Seeds = firstOf(assign.MaxSeeds, seeds)
	g.store(told)
}

// mixed is a number that two names have together.
func mixed(a, b string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(a + " " + b)) // it never fails
	return h.Sum64()
}

// firstOf gives the first max that differ, in order.
func firstOf(max int, lists ...[]string) (out []string) {
	for _, s := range slices.Concat(lists...) {
		if len(out) < max && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// store keeps what is known, on the disk first.
func (g *agentGossip) store(told assign.Gossip) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if told.Label() == g.told.Label() && slices.Equal(told.Key, g.told.Key) && slices.Equal(told.Seeds, g.told.Seeds) {
		return
	}
	if err := replaceFile(g.file, told); err != nil {
		g.log.Warn("what is known of gossip could not be written", "error", err)
	}
	g.told = told
}

// expectControl is how agents call control nodes.
func (a *agent) expectControl() func(string) *tls.Config {
	conf := a.endpoint.Client(pki.Agents, pki.Expect(pki.Control, ""))
	return func(string) *tls.Config { return conf }
}
