package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/internal/clock"
)

// process is the program as a process of its own, in a role.
type process struct {
	t    *testing.T
	name string
	dir  string
	web  string // the public API, or the agent's health
	at   string // the internal port
	args []string
	cmd  *exec.Cmd
	errs *heard
}

// newProcess prepares a node at addresses of its own.
func newProcess(t *testing.T, role, name string) *process {
	t.Helper()
	p := &process{t: t, name: name, dir: filepath.Join(t.TempDir(), name), web: freeAddress(t), at: freeAddress(t)}
	p.args = []string{role, "--node", name, "--data_dir", p.dir, "--" + role + ".listen", p.at, "--" + role + ".gossip.listen", "127.0.0.1:0", "--log.level", "debug"}
	if role == "control" {
		p.args = append(p.args, "--public.listen", p.web, "--control.host_lease", "2s")
	} else {
		p.args = append(p.args, "--agent.observe", p.web, "--agent.driver", "sim")
	}
	return p
}

// start starts it; how says what it does at its very first start.
func (p *process) start(how ...string) {
	p.t.Helper()
	p.errs = &heard{}
	p.cmd = exec.Command("/proc/self/exe", append(p.args, how...)...)
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), asProgram+"=1"), p.errs
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	mine := p.cmd
	p.t.Cleanup(func() {
		_ = mine.Process.Kill() // ended already, if all went well
		_ = mine.Wait()
		if p.t.Failed() && mine == p.cmd {
			p.t.Logf("%s says:\n%s", p.name, tail(p.errs.String()))
		}
	})
}

func tail(s string) string { return s[max(0, len(s)-8000):] }

// end ends it in order, and kill as a loss of power does.
func (p *process) end() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s ended with %v", p.name, err)
	}
}

func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait() // killed is how it ended
}

// get reads a page of the node; empty if it does not answer or is not well.
func (p *process) get(path string) string {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + p.web + path)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(b)
}

// until waits for a state.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for !ok() {
		if clock.Sleep(ctx, clock.Real{}, 50*time.Millisecond) != nil {
			t.Fatalf("never: %s", what)
		}
	}
}

// ready waits until the node is.
func (p *process) ready() {
	p.t.Helper()
	until(p.t, p.name+" is ready", func() bool { return p.get("/readyz") != "" })
}

// shows tells whether the node's metrics have all of these lines.
func (p *process) shows(lines ...string) func() bool {
	return func() bool {
		page := p.get("/metrics")
		for _, line := range lines {
			if !strings.Contains(page, "\nkvorum_"+line+"\n") {
				return false
			}
		}
		return true
	}
}

// token is one with which a node may join at this control node alone.
func (p *process) token(role, name string) string {
	p.t.Helper()
	var out operator.NewToken
	err := operate(p.t.Context(), filepath.Join(p.dir, operatorSocket), http.MethodPost, "/v1/join-tokens",
		operator.TokenRequest{Role: role, Name: name, TTL: "5m", At: []string{p.at}}, &out)
	if err != nil {
		p.t.Fatal(err)
	}
	return out.Token
}

// TestGossipFindsTheOthers: an agent that knows one control node, before there
// are others, finds those by gossip, and they it; it goes on when the one dies;
// and when it is started again with nothing but that one's address, it finds
// those that live.
func TestGossipFindsTheOthers(t *testing.T) {
	t.Parallel()
	c1 := newProcess(t, "control", "c1")
	c1.start("--bootstrap")
	c1.ready()
	h1 := newProcess(t, "agent", "h1")
	h1.start("--join", c1.token("agent", "h1"))
	h1.ready()
	until(t, "the first two find each other", func() bool {
		return h1.shows(`gossip_members{pool="agents",status="alive"} 2`)() && c1.shows(`gossip_members{pool="agents",status="alive"} 2`, "gossip_unseen_hosts 0")()
	})
	controls := []*process{c1}
	for _, name := range []string{"c2", "c3"} {
		c := newProcess(t, "control", name)
		c.start("--join", c1.token("control", name))
		c.ready()
		controls = append(controls, c)
	}
	for _, c := range controls {
		until(t, c.name+" finds all", c.shows(`gossip_members{pool="control",status="alive"} 3`, `gossip_members{pool="agents",status="alive"} 4`, "gossip_unknown_members 0"))
	}
	until(t, "the agent finds all", h1.shows(`gossip_members{pool="agents",status="alive"} 4`))
	until(t, "three vote", func() bool {
		return strings.Contains(c1.get("/healthz")+controls[1].get("/healthz")+controls[2].get("/healthz"), `"voters":3`)
	})
	until(t, "the agent knows where to begin", func() bool { return len(remembered(t, h1)) >= 3 })

	c1.kill()
	for _, c := range controls[1:] {
		until(t, c.name+" sees the death", c.shows(`gossip_members{pool="control",status="failed"} 1`, `gossip_members{pool="agents",status="failed"} 1`))
	}
	until(t, "the agent goes on", func() bool { return heardOfLate(h1) && h1.shows("agent_lease_held 1", "agent_confirmed 1")() })

	h1.end()
	for _, c := range controls[1:] {
		until(t, c.name+" heard the farewell", c.shows(`gossip_members{pool="agents",status="left"} 1`))
	}
	if err := replaceFile(filepath.Join(h1.dir, nodesFile), []string{c1.at}); err != nil {
		t.Fatal(err)
	}
	h1.start() // knows the address of the dead one, and where others gossiped
	until(t, "the agent finds those that live", func() bool { return heardOfLate(h1) && h1.shows("agent_lease_held 1", "agent_confirmed 1")() })
	says := operatorSays(t, controls[1].dir, "gossip", "members")
	for _, want := range []string{
		`(?m)^agents +h1 +\S+ +agent +alive +127\.0\.0\.1:\d+ +` + h1.at + ` +dev +true$`,
		`(?m)^control +c1 +\S+ +control +failed +127\.0\.0\.1:\d+ +` + c1.at + ` +dev +true$`,
		`(?m)^control +c3 +\S+ +control +alive +`,
	} {
		if !regexp.MustCompile(want).MatchString(says) {
			t.Errorf("the operator is shown:\n%s\nwithout %s", says, want)
		}
	}
	h1.end()
	for _, c := range controls[1:] {
		c.end()
	}
}

// remembered is where an agent would look for others at its next start.
func remembered(t *testing.T, p *process) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, gossipFile))
	var out struct{ Seeds []string }
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Seeds
}

var silence = regexp.MustCompile(`(?m)^kvorum_agent_control_silence_seconds ([0-9.e+-]+)`)

// heardOfLate tells whether an agent heard from the control plane within three
// seconds: since it was last disturbed, if that is longer ago.
func heardOfLate(p *process) bool {
	m := silence.FindStringSubmatch(p.get("/metrics"))
	var s float64
	if m == nil {
		return false
	}
	if _, err := fmt.Sscan(m[1], &s); err != nil {
		return false
	}
	return s < 3
}
