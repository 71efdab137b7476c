package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// proposeRow measures proposals to the leader, made inside its process.
type proposeRow struct {
	name    string
	nodes   int
	callers int
	load    string
}

// proposeRows are measured with three nodes on each side, and with one, which
// shows what a node does without the network.
var proposeRows = []proposeRow{
	{"propose_c1", 3, 1, "update"},
	{"propose_c16", 3, 16, "update"},
	{"propose_c256", 3, 256, "update"},
	{"create_c256", 3, 256, "create"},
	{"propose_single_c1", 1, 1, "update"},
	{"propose_single_c16", 1, 16, "update"},
	{"propose_single_c256", 1, 256, "update"},
	{"create_single_c256", 1, 256, "create"},
}

// warmUp is how many proposals each caller makes before anything counts.
const warmUp = 8

func (p proposeRow) measure(o options) ([]row, error) {
	sides, err := openPair(o, p.nodes, p.load)
	if err != nil {
		return nil, err
	}
	defer sides.close()
	s := []*proposeSide{{row: p, cluster: sides.ours}, {row: p, cluster: sides.bare}}
	for _, x := range s {
		first, err := x.turn(p.callers*warmUp, "")
		if err != nil {
			return nil, err
		}
		x.last = first.rate()
	}
	for i := range o.turns {
		for _, x := range s {
			profile := ""
			if o.profile != "" && x.cluster.side == ours {
				profile = filepath.Join(o.profile, fmt.Sprintf("%s-%d.pprof", p.name, i))
			}
			d, err := x.turn(opsFor(x.last, o.span(), p.callers), profile)
			if err != nil {
				return nil, err
			}
			x.add(d)
		}
	}
	r := compared(p.name, "ops/s", "higher", bare, s[0].rates, s[1].rates)
	r.note += fmt.Sprintf("  (CPU of the leader per op: %.0f us, peer %.0f us)", median(s[0].cpu), median(s[1].cpu))
	return []row{r}, nil
}

// proposeSide is what one side did so far.
type proposeSide struct {
	row     proposeRow
	cluster *cluster
	last    float64
	rates   []float64
	cpu     []float64 // microseconds per operation
}

func (s *proposeSide) turn(ops int, profile string) (done, error) {
	r, err := s.cluster.onLeader(order{Do: "propose", Workload: s.row.load, Callers: s.row.callers, Ops: ops, Profile: profile})
	return r.Done, err
}

func (s *proposeSide) add(d done) {
	s.last = d.rate()
	s.rates = append(s.rates, d.rate())
	s.cpu = append(s.cpu, d.CPU/float64(d.Ops)*1e6)
}

const readers = 64

// reads measures linearizable reads on the leader and on a follower. The
// library offers them on the leader only, so both have the same peer.
func reads(o options) ([]row, error) {
	sides, err := openPair(o, 3, "update")
	if err != nil {
		return nil, err
	}
	defer sides.close()
	read := order{Do: "read", Callers: readers, Span: o.span()}
	var onLeader, onFollower, peer []float64
	for i := -1; i < o.turns; i++ { // the first one only warms up
		leader, err := sides.ours.leader()
		if err != nil {
			return nil, err
		}
		bareLeader, err := sides.bare.leader()
		if err != nil {
			return nil, err
		}
		for _, x := range []struct {
			name  string
			node  *process
			rates *[]float64
		}{{"read_leader_c64", leader, &onLeader}, {"", bareLeader, &peer}, {"read_follower_c64", sides.ours.others(leader)[0], &onFollower}} {
			asked := read
			if o.profile != "" && x.name != "" {
				asked.Profile = filepath.Join(o.profile, fmt.Sprintf("%s-%d.pprof", x.name, i))
			}
			r, err := x.node.tell(asked)
			if err != nil {
				return nil, err
			}
			if i >= 0 {
				*x.rates = append(*x.rates, r.Done.rate())
			}
		}
	}
	const name = bare + " VerifyLeader on the leader"
	return []row{compared("read_leader_c64", "ops/s", "higher", name, onLeader, peer),
		compared("read_follower_c64", "ops/s", "higher", name, onFollower, peer)}, nil
}

// failover measures how long nobody can write after the leader was killed:
// from the signal to the first write through another node.
func failover(o options) ([]row, error) {
	sides, err := openPair(o, 3, "update")
	if err != nil {
		return nil, err
	}
	defer sides.close()
	var mine, theirs []float64
	for range o.turns {
		for _, x := range []struct {
			c   *cluster
			gap *[]float64
		}{{sides.ours, &mine}, {sides.bare, &theirs}} {
			gap, err := x.c.killLeader()
			if err != nil {
				return nil, err
			}
			*x.gap = append(*x.gap, gap)
		}
	}
	return []row{compared("failover_kill_p50", "ms", "lower", bare, mine, theirs)}, nil
}

// killLeader kills the leader, gives the milliseconds until a write went
// through another node, and starts the killed one again.
func (c *cluster) killLeader() (float64, error) {
	leader, err := c.leader()
	if err != nil {
		return 0, err
	}
	killed := clock.Real{}.Now().UnixNano()
	if err := leader.kill(); err != nil {
		return 0, err
	}
	written, err := c.firstWrite(c.others(leader))
	if err != nil {
		return 0, err
	}
	return float64(written-killed) / 1e6, c.restart(leader)
}

// firstWrite lets all nodes try to write until one of them has done it, and
// gives the time of that.
func (c *cluster) firstWrite(nodes []*process) (int64, error) {
	var first atomic.Int64
	errs := make(chan error, len(nodes))
	for _, p := range nodes {
		go func() {
			errs <- until("a write", func() (bool, error) {
				r, err := p.tell(order{Do: "write", Span: attempt})
				if r.At != 0 {
					first.CompareAndSwap(0, r.At)
				}
				return first.Load() != 0, err
			})
		}()
	}
	var all error
	for range nodes {
		all = errors.Join(all, <-errs)
	}
	return first.Load(), all
}

// attempt is how long a node tries to write before it is asked again.
const attempt = 200 * time.Millisecond
