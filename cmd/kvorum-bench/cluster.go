package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/raftnode"
)

// process is a node as its cluster sees it.
type process struct {
	setup setup
	cmd   *exec.Cmd
	send  *json.Encoder
	heard *json.Decoder
	gone  bool
}

// tell gives an order and waits for the reply.
func (p *process) tell(o order) (reply, error) {
	var r reply
	if err := p.send.Encode(o); err != nil {
		return r, err
	}
	if err := p.heard.Decode(&r); err != nil {
		return r, fmt.Errorf("node %s does not answer: %w", p.setup.ID, err)
	}
	if r.Err != "" {
		return r, fmt.Errorf("node %s: %s", p.setup.ID, r.Err)
	}
	return r, nil
}

// launch starts the process; it does nothing yet.
func (p *process) launch() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd = exec.Command(self, nodeArgument)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.send, p.heard, p.gone = json.NewEncoder(in), json.NewDecoder(out), false
	return p.cmd.Start()
}

func (p *process) kill() error {
	p.gone = true
	err := p.cmd.Process.Kill()
	p.cmd.Wait() // it was killed
	return err
}

// cluster is all nodes of one side.
type cluster struct {
	side  string
	nodes []*process
}

// openCluster starts a cluster in fresh folders and waits for its leader. A
// node alone has no network.
func openCluster(side, dir string, size int) (*cluster, error) {
	c := &cluster{side: side}
	var all []raftnode.Server
	for i := range size {
		id := fmt.Sprintf("n%d", i+1)
		p := &process{setup: setup{Side: side, ID: id, Dir: filepath.Join(dir, id), Fresh: true}}
		if err := p.launch(); err != nil {
			c.close()
			return nil, err
		}
		c.nodes = append(c.nodes, p)
		address := id
		if size > 1 {
			r, err := p.tell(order{Do: "listen", Address: "127.0.0.1:0"})
			if err != nil {
				c.close()
				return nil, err
			}
			address = r.Address
		}
		all = append(all, raftnode.Server{ID: id, Address: address})
	}
	for _, p := range c.nodes {
		p.setup.All = all
		if _, err := p.tell(order{Do: "open", Setup: &p.setup}); err != nil {
			c.close()
			return nil, err
		}
		p.setup.Fresh = false
	}
	if _, err := c.leader(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// patience bounds every wait for a state of a cluster.
const patience = 60 * time.Second

// until asks again and again whether something is so.
func until(what string, so func() (bool, error)) error {
	watch := clock.Real{}
	for limit := watch.Mono() + patience; watch.Mono() < limit; <-watch.After(time.Millisecond) {
		if ok, err := so(); ok || err != nil {
			return err
		}
	}
	return fmt.Errorf("waited too long for %s", what)
}

// leader waits for a node that leads.
func (c *cluster) leader() (found *process, err error) {
	err = until("a leader", func() (bool, error) {
		for _, p := range c.nodes {
			if p.gone {
				continue
			}
			r, err := p.tell(order{Do: "look"})
			if err != nil {
				return false, err
			}
			if r.Leads {
				found = p
				return true, nil
			}
		}
		return false, nil
	})
	return found, err
}

// onLeader gives the leader an order; if it lost the lead meanwhile, the next
// one gets it.
func (c *cluster) onLeader(o order) (reply, error) {
	var all error
	for range 3 {
		p, err := c.leader()
		if err != nil {
			return reply{}, err
		}
		r, err := p.tell(o)
		if err == nil {
			return r, nil
		}
		all = errors.Join(all, err)
	}
	return reply{}, all
}

// others are the nodes that run, but for one.
func (c *cluster) others(than *process) (list []*process) {
	for _, p := range c.nodes {
		if p != than && !p.gone {
			list = append(list, p)
		}
	}
	return list
}

// restart starts a killed node again and waits until it is where the leader is.
func (c *cluster) restart(p *process) error {
	if err := p.launch(); err != nil {
		return err
	}
	for _, s := range p.setup.All {
		if s.ID == p.setup.ID {
			if _, err := p.tell(order{Do: "listen", Address: s.Address}); err != nil {
				return err
			}
		}
	}
	if _, err := p.tell(order{Do: "open", Setup: &p.setup}); err != nil {
		return err
	}
	return until("a restarted node to follow", func() (bool, error) {
		l, err := c.leader()
		if err != nil {
			return false, err
		}
		there, err := l.tell(order{Do: "look"})
		if err != nil {
			return false, err
		}
		here, err := p.tell(order{Do: "look"})
		return err == nil && here.Known && here.Applied >= there.Applied, err
	})
}

func (c *cluster) close() {
	for _, p := range c.nodes {
		if p.cmd != nil && p.cmd.Process != nil && !p.gone {
			p.kill() // the folders go with it
		}
	}
}

// pair is both sides with as many nodes each.
type pair struct {
	ours, bare *cluster
	dir        string
}

// openPair starts both sides and prepares them.
func openPair(o options, size int, load string) (*pair, error) {
	dir, err := os.MkdirTemp(o.data, "bench-")
	if err != nil {
		return nil, err
	}
	p := &pair{dir: dir}
	for _, side := range []struct {
		name string
		to   **cluster
	}{{ours, &p.ours}, {bare, &p.bare}} {
		c, err := openCluster(side.name, filepath.Join(dir, filepath.Base(side.name)), size)
		if err != nil {
			p.close()
			return nil, err
		}
		*side.to = c
		if _, err := c.onLeader(order{Do: "prepare", Workload: load}); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *pair) close() {
	for _, c := range []*cluster{p.ours, p.bare} {
		if c != nil {
			c.close()
		}
	}
	os.RemoveAll(p.dir)
}
