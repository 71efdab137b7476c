package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/cloud"
	"github.com/kvorum/kvorum/jepsen/disk"
	"github.com/kvorum/kvorum/jepsen/faultnet"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// Options say how a run is made.
type Options struct {
	// Binary is the program, built with the tag 'faults'.
	Binary string
	Seed   uint64
	// Duration is how long clients work under faults.
	Duration time.Duration
	// Dir gets everything about the run.
	Dir    string
	Clock  clock.Clock
	Prefix string // of the namespaces' names
	// Range is where nodes' addresses come from; zero for the rack's default. Two
	// runs at a time need two.
	Range netip.Prefix
}

// Test is one family of runs.
type Test struct {
	// ID is the test's in docs/reliability.md, Promise what it is about.
	ID, Promise string
	// Controls and Agents are how many nodes there are.
	Controls, Agents int
	// Disk gives control nodes disks that can be broken.
	Disk bool
	// Flags are further ones for control nodes.
	Flags []string
	// Clients is how many there are, Hops how often, in percent, each uses
	// another node than its own, and Pace the pause between two operations of
	// one client, in milliseconds.
	Clients, Hops int
	Pace          [2]int
	Workload      func() Workload
	Script        Script
	Checkers      []Checker
	// Proof (optional) are words that a control node's log must hold: without
	// them the run shows nothing.
	Proof string
	// Least is how many operations a second must succeed for a run to count.
	Least int
}

// Verdict is what a run showed.
type Verdict string

// The verdicts.
const (
	Holds    Verdict = "ok"
	Violated Verdict = "violation"
	// Invalid runs show nothing: too little was done, or a fault had no effect.
	Invalid Verdict = "invalid"
)

// Result is a run's outcome.
type Result struct {
	// At is when the run began, by the wall clock, and Revision what was run.
	At       time.Time `json:"at"`
	Revision string    `json:"revision"`

	Test string `json:"test"`
	Seed uint64 `json:"seed"`
	// Duration is how long clients were to work, Seconds how long they did.
	Duration string         `json:"duration"`
	Seconds  float64        `json:"seconds"`
	Ops      int            `json:"ops"`
	OKs      int            `json:"ok"`
	Faults   map[string]int `json:"faults"`
	Seen     map[string]int `json:"faults_seen"`
	Unknown  float64        `json:"unknown_share"`
	// Outage is the longest time in which no operation was done, in milliseconds.
	Outage int64 `json:"longest_outage_ms"`
	// Compared is how often two nodes were seen at one index.
	Compared int     `json:"replicas_compared"`
	Verdict  Verdict `json:"verdict"`
	// Why says what makes a run invalid.
	Why      []string  `json:"why,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
	Dir      string    `json:"dir,omitempty"`
}

// maxUnknown is the share of unknown outcomes beyond which a run shows nothing:
// a checker can explain too much with them.
const maxUnknown = 0.05

// Run does one run. An error means that it could not be made; whatever the
// product does wrong is in the result.
func Run(ctx context.Context, t Test, o Options) (res Result, err error) {
	res = Result{At: o.Clock.Now().UTC(), Revision: revision, Test: t.ID, Seed: o.Seed, Duration: o.Duration.String(), Dir: o.Dir}
	rack, err := os.MkdirTemp("", "kvj-*") // short, for the sake of sockets' paths
	if err != nil {
		return res, err
	}
	defer os.RemoveAll(rack)
	e := &Env{Clock: o.Clock, Dir: o.Dir, Disks: map[string]*disk.Disk{}}
	if e.Net, err = faultnet.New(faultnet.Options{Seed: o.Seed, Capture: 200, Clock: o.Clock}); err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, e.Net.Close()) }() // after the rack, which is deferred later
	prepare := func(context.Context, *testbed.Host) error { return nil }
	if t.Disk {
		prepare = func(ctx context.Context, h *testbed.Host) error { return e.mount(ctx, h, o.Seed) }
	}
	e.Cloud, err = cloud.Up(ctx, cloud.Options{Prepare: prepare, Prefix: o.Prefix, Range: o.Range, Dir: filepath.Join(rack, "r"), Binary: o.Binary, Controls: t.Controls, Agents: t.Agents,
		Simulated: true, Wire: e.Net, ControlFlags: t.Flags, Clock: o.Clock,
		Environment: func(h *testbed.Host, program string) []string {
			return []string{"FAILPOINT_SOCKET=" + socket(h, program)}
		}})
	defer func() {
		if e.Cloud.Rack != nil {
			err = errors.Join(err, e.Cloud.Rack.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err != nil {
		return res, err
	}
	r := &run{Test: t, Options: o, env: e, rng: rand.New(rand.NewPCG(o.Seed, 1)), replicas: newReplicas()}
	if err = r.do(ctx, &res); err == nil {
		err = ctx.Err() // one that was interrupted has no verdict, whatever was found
	}
	return res, err
}

// run is one that is under way.
type run struct {
	Test
	Options
	env     *Env
	rng     *rand.Rand
	clients []*Client
	proven  bool
	until   int64 // when clients were told to stop
	// settled is the index at which all nodes were when all was well; 0 if they
	// never were.
	settled uint64
	// replicas is what was seen of the nodes' states meanwhile.
	replicas *replicas
}

func (r *run) do(ctx context.Context, res *Result) error {
	e := r.env
	e.History = NewHistory(e.Clock)
	w := r.Workload()
	e.Workload = w
	if err := r.prepare(ctx, w); err != nil {
		return err
	}
	began := e.Clock.Mono()
	counts, stopped := r.load(ctx, w)
	res.Compared = r.replicas.compared
	res.Seconds = (e.Clock.Mono() - began).Seconds()
	res.Faults, res.Seen = counts.Done, counts.Seen
	found := append(r.settle(ctx, w), r.replicas.found.list...)
	if stopped != nil {
		// A fault that cannot be done finds no leader to do it to, for a minute.
		found = append(found, Finding{Checker: "the cluster lives on", Text: stopped.Error()})
	}
	evidence, found := r.evidence(ctx, found)
	res.judge(r, evidence, found)
	return r.save(res, evidence)
}

// prepare makes what the workload needs, and its clients.
func (r *run) prepare(ctx context.Context, w Workload) error {
	for i := range r.Clients {
		c := &Client{Env: r.env, Number: i, Rand: rand.New(rand.NewPCG(r.Seed, uint64(i)+2)), home: i % len(r.env.Cloud.Controls), hops: r.Hops}
		for _, h := range r.env.Cloud.Controls {
			c.apis = append(c.apis, r.env.API(h))
		}
		r.clients = append(r.clients, c)
	}
	first := r.clients[0].apis[0]
	if err := first.Login(ctx); err != nil {
		return err
	}
	for _, c := range r.clients {
		for _, api := range c.apis {
			api.token = first.token
		}
	}
	return w.Setup(ctx, r.env, first)
}

// load lets clients work under faults for the run's duration.
func (r *run) load(ctx context.Context, w Workload) (toll, error) {
	e := r.env
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var timer sync.WaitGroup
	timer.Go(func() {
		e.Pause(ctx, r.Duration)
		r.until = e.History.Now()
		cancel()
	})
	defer timer.Wait()
	pace := rand.New(rand.NewPCG(r.Seed, 0))
	var mu sync.Mutex
	clients := users(ctx, w, r.clients, func(ctx context.Context) {
		mu.Lock()
		d := between(pace, r.Pace)
		mu.Unlock()
		e.Pause(ctx, d)
	})
	looks := r.replicas.watch(ctx, e)
	counts, err := e.storm(ctx, r.Script, r.rng)
	cancel()
	clients.Wait()
	looks.Wait()
	return counts, err
}

// healing is how long the cluster may take to be well after the last fault.
const healing = 60 * time.Second

// settle waits until the cluster is well, and lets the workload look once more.
// What does not become well is a finding.
func (r *run) settle(ctx context.Context, w Workload) []Finding {
	f := findings{checker: "all is well after the faults"}
	e := r.env
	err := e.Wait(ctx, healing, "all control nodes to be ready and equal", func() bool {
		// A node whose disk failed it ends itself, in its own time; a service
		// manager would start it again.
		for _, h := range e.Cloud.Controls {
			if gone([]*testbed.Host{h}) != "" && restart(e, []*testbed.Host{h}) != nil {
				return false
			}
		}
		r.settled = e.equal()
		return r.settled > 0
	})
	if err != nil {
		f.add(nil, "%v", err)
	}
	if err == nil {
		if err := w.Settle(ctx, r.clients[0]); err != nil {
			f.add(nil, "%v", err)
		}
	}
	for _, c := range r.clients {
		for _, api := range c.apis {
			api.Close()
		}
	}
	return f.list
}

// equal gives the index at which all control nodes are with one hash, or 0.
func (e *Env) equal() uint64 {
	var first cloud.Health
	for i, h := range e.Cloud.Controls {
		s, err := e.Cloud.Health(h)
		if err != nil || s.Role != "leader" && s.Role != "follower" {
			return 0
		}
		if i == 0 {
			first = s
		} else if s.Index != first.Index || s.Hash != first.Hash || s.Term != first.Term {
			return 0
		}
	}
	return first.Index
}

// evidence stops the cluster and gathers what there is to judge, beside what
// was found already.
func (r *run) evidence(ctx context.Context, found []Finding) (Evidence, []Finding) {
	e := r.env
	f := findings{checker: "logs are readable"}
	logs := map[string][]LogEntry{}
	for _, h := range e.Cloud.Controls {
		if err := h.Stop(ctx, "control"); err != nil {
			f.add(nil, "%s does not stop: %v", h.Name(), err)
			continue
		}
		log, err := readLog(e.bytesOf(h))
		if err != nil {
			f.add(nil, "%s: %v", h.Name(), err)
			continue
		}
		logs[h.Name()] = log
	}
	longest, differ := sameLog(logs, r.settled)
	found = append(append(found, f.list...), differ...)
	r.proven = r.Proof == "" || r.logged(r.Proof)
	return Evidence{Ops: e.History.Ops(), Events: e.History.Events(), Log: longest, Until: r.until, Dir: r.Dir}, found
}

// logged tells whether the log of a control node says so.
func (r *run) logged(words string) bool {
	for _, h := range r.env.Cloud.Controls {
		if b, err := os.ReadFile(h.LogFile("control")); err == nil && strings.Contains(string(b), words) {
			return true
		}
	}
	return false
}

// judge asks the checkers, and says whether the run shows anything.
func (res *Result) judge(r *run, v Evidence, found []Finding) {
	res.Findings = found
	for _, c := range r.Checkers {
		for _, f := range c.Check(v) {
			if f.Undecided {
				res.Why = append(res.Why, f.Checker+": "+f.Text)
			} else {
				res.Findings = append(res.Findings, f)
			}
		}
	}
	res.Ops = len(v.Ops)
	for _, op := range v.Ops {
		if op.Outcome == OK {
			res.OKs++
		}
	}
	longest, unknown := outages(v)
	res.Outage, res.Unknown = longest.Milliseconds(), unknown
	if least := int(float64(r.Least) * res.Seconds); res.OKs < least {
		res.Why = append(res.Why, fmt.Sprintf("%d operations succeeded, and %d must", res.OKs, least))
	}
	if unknown > maxUnknown {
		res.Why = append(res.Why, fmt.Sprintf("%.1f %% of the outcomes are unknown", 100*unknown))
	}
	seen := 0
	for name, n := range res.Faults {
		seen += res.Seen[name]
		if res.Seen[name] == 0 {
			res.Why = append(res.Why, fmt.Sprintf("%q was done %d times, without any effect", name, n))
		}
	}
	if !r.proven {
		res.Why = append(res.Why, fmt.Sprintf("no control node's log says %q", r.Proof))
	}
	if seen == 0 {
		res.Why = append(res.Why, "no fault had an effect")
	}
	switch {
	case len(res.Findings) > 0:
		res.Verdict = Violated
	case len(res.Why) > 0:
		res.Verdict = Invalid
	default:
		res.Verdict = Holds
	}
}
