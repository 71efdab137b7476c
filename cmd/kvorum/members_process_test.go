package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

// operatorFails runs an operator's command that must be refused, and gives the
// sentence.
func operatorFails(t *testing.T, dir string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	c := root()
	c.SetOut(&out)
	c.SetArgs(append(append([]string{"operator"}, args...), "--data_dir", dir))
	err := c.ExecuteContext(t.Context())
	if !errs.Is(err, errs.Conflict) {
		t.Errorf("kvorum operator %v: %v %s", args, err, &out)
	}
	return sentence(err)
}

// peers is how a control node lists the members, such as "c1! c2 c3?": ! leads,
// ? does not vote.
func (p *process) peers() string {
	p.t.Helper()
	var all []string
	for _, row := range regexp.MustCompile(`(?m)^(\S+) +\S+ +\S+ +(true|false) +(true|false)$`).FindAllStringSubmatch(operatorSays(p.t, p.dir, "raft", "list-peers"), -1) {
		all = append(all, row[1]+map[string]string{"true": "", "false": "?"}[row[2]]+map[string]string{"true": "!", "false": ""}[row[3]])
	}
	return strings.Join(all, " ")
}

// threeControls runs three control nodes that vote, of which the first leads.
func threeControls(t *testing.T) []*process {
	t.Helper()
	c1 := newProcess(t, "control", "c1")
	c1.start("--bootstrap")
	c1.ready()
	all := []*process{c1}
	for _, name := range []string{"c2", "c3"} {
		c := newProcess(t, "control", name)
		c.start("--join", c1.token("control", name))
		c.ready()
		all = append(all, c)
	}
	until(t, "three vote", func() bool { return c1.peers() == "c1! c2 c3" })
	return all
}

// TestOperatorsRemoveAControlNode: not one that leads or that is needed. One that
// was away meanwhile does not come back by itself, and can join anew; one that is
// there ends.
func TestOperatorsRemoveAControlNode(t *testing.T) {
	t.Parallel()
	all := threeControls(t)
	c1, c2, c3 := all[0], all[1], all[2]
	for _, row := range []struct {
		at, remove *process
		says       string
	}{{c1, c1, "It leads"}, {c2, c1, "It leads"}, {c2, c2, "this node itself"}} {
		if says := operatorFails(t, row.at.dir, "raft", "remove-peer", row.remove.name); !strings.Contains(says, row.says) {
			t.Errorf("%s by %s: %s", row.remove.name, row.at.name, says)
		}
	}
	c3.kill()
	if says := operatorFails(t, c1.dir, "raft", "remove-peer", "c2"); !strings.Contains(says, "Of the other 2 control nodes that vote 1 answer") {
		t.Errorf("while c3 is away: %s", says)
	}
	if says := operatorSays(t, c2.dir, "raft", "remove-peer", "c3"); !regexp.MustCompile(`^c3 \(\S+\) is no control node any more\.\n$`).MatchString(says) {
		t.Errorf("%s", says)
	}
	until(t, "two are left", func() bool { return c1.peers() == "c1! c2" })
	term := regexp.MustCompile(`"term":\d+`).FindString(c1.get("/healthz"))
	c3.start() // as if nothing had happened
	until(t, "c3 asks for votes", func() bool { return strings.Contains(c3.errs.String(), "starting election") })
	until(t, "c3 is not let in", func() bool { return strings.Contains(c3.errs.String(), "failed to make") })
	if got := c1.peers() + regexp.MustCompile(`"term":\d+`).FindString(c1.get("/healthz")); got != "c1! c2"+term {
		t.Errorf("it came back: %s, before %s", got, term)
	}
	c3.kill()

	if err := os.RemoveAll(c3.dir); err != nil {
		t.Fatal(err)
	}
	c3.start("--join", c1.token("control", "c3"))
	c3.ready()
	until(t, "three vote again", func() bool { return len(strings.Fields(c1.peers())) == 3 && !strings.Contains(c1.peers(), "?") })
	operatorSays(t, c1.dir, "raft", "remove-peer", "c3")
	until(t, "c3 ends", func() bool {
		return strings.Contains(c3.errs.String(), "kvorum: This control node was removed from the cluster.")
	})
	if err := c3.cmd.Wait(); err == nil {
		t.Error("c3 ended as if all were well")
	}
	for _, c := range all[:2] {
		c.end()
	}
}

// TestOperatorsHandTheLeadOver, and look after the tokens.
func TestOperatorsHandTheLeadOver(t *testing.T) {
	t.Parallel()
	all := threeControls(t)
	c1, c2 := all[0], all[1]
	if says := operatorFails(t, c2.dir, "raft", "transfer-leader"); !strings.Contains(says, "does not lead") {
		t.Errorf("%s", says)
	}
	if says := operatorSays(t, c1.dir, "raft", "transfer-leader", "c2"); says != "" {
		t.Errorf("%s", says)
	}
	until(t, "c2 leads", func() bool { return c2.peers() == "c1 c2! c3" })
	operatorSays(t, c2.dir, "raft", "transfer-leader")
	until(t, "another one leads", func() bool { p := c1.peers(); return strings.Contains(p, "!") && !strings.Contains(p, "c2!") })

	c1.token("agent", "h1")
	says := operatorSays(t, c2.dir, "token", "list")
	open := regexp.MustCompile(`(?m)^(\S+) +agent +h1 +open +\S+ +-$`).FindStringSubmatch(says)
	if open == nil || !regexp.MustCompile(`(?m)^\S+ +control +c2 +used +\S+ +[0-9a-f-]{36}$`).MatchString(says) {
		t.Fatalf("the tokens are listed as\n%s", says)
	}
	operatorSays(t, c1.dir, "token", "delete", open[1])
	if says := operatorSays(t, c2.dir, "token", "list"); strings.Contains(says, open[1]) {
		t.Errorf("it is still there:\n%s", says)
	}
	for _, c := range all {
		c.end()
	}
}
