package command

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

var (
	operator = By{System: Operator}
	joiner   = By{System: Join}
)

// aNode is who wants to join, and with what.
type aNode struct {
	token model.TokenID
	node  model.NodeID
	role  string
	name  string
	key   int
}

func uuidNo(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }

// token makes a token that ends in ten minutes.
func (r *rig) token(n int, role, name string) model.TokenID {
	r.t.Helper()
	id := model.TokenID(uuidNo(0x700 + n))
	r.must(operator, &JoinTokenCreate{ID: id, Role: role, Name: name, SecretHash: make([]byte, 32), ExpiresAt: r.stamp.At + 600e9})
	return id
}

func (r *rig) join(n aNode) *NodeJoin {
	c := &NodeJoin{TokenID: n.token, NodeID: n.node, Role: n.role, Name: n.name, KeyHash: fmt.Sprintf("%064x", n.key),
		Serial: fmt.Sprintf("%032x", 0x100+n.key), NotBefore: r.stamp.At, NotAfter: r.stamp.At + 3600e9}
	if n.role == model.NodeControl {
		c.Address = n.name + ":8770"
	}
	return c
}

func TestInitMakesTheFirstMember(t *testing.T) {
	r := newRig(t, 1)
	v := r.View()
	if n := v.ControlNode(exampleClusterInit().NodeID); v.ControlNodeCount() != 1 || n.Name != "c1" || n.Address != "10.0.0.1:8770" || n.JoinedAt != v.At {
		t.Errorf("first node: %+v", n)
	}
	if a := v.Authority(); string(a.Certificate) != "certificate" || string(a.Key) != "sealed" || string(a.GossipKey) != "sealed too" {
		t.Errorf("authority: %+v", a)
	}
	if c := v.CertificateForKey(exampleKeyHash); c == nil || c.NodeID != "00000000-0000-4000-8000-0000000000a1" || c.RevokedAt != 0 {
		t.Errorf("certificate: %+v", c)
	}
}

func TestInitMembersComeWhole(t *testing.T) {
	for name, change := range map[string]func(*ClusterInit){
		"no authority": func(c *ClusterInit) { c.CACert = nil }, "no key": func(c *ClusterInit) { c.CAKey = nil },
		"no gossip key": func(c *ClusterInit) { c.GossipKey = nil }, "no node": func(c *ClusterInit) { c.NodeID = "" },
		"a huge authority": func(c *ClusterInit) { c.CACert = make([]byte, maxAuthority+1) }, "no name": func(c *ClusterInit) { c.NodeName = "" },
		"no port": func(c *ClusterInit) { c.NodeAddress = "10.0.0.1" }, "a strange URL": func(c *ClusterInit) { c.NodeURL = "ftp://x" },
		"no serial number": func(c *ClusterInit) { c.Serial = "" }, "no key hash": func(c *ClusterInit) { c.KeyHash = "x" },
		"a certificate that is over": func(c *ClusterInit) { c.NotAfter = 1 },
	} {
		r := newRig(t, 1)
		r.store = state.NewStore(64)
		c := exampleClusterInit()
		change(c)
		if _, err := r.apply(By{System: Bootstrap}, c); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := newRig(t, 1)
	r.store = state.NewStore(64)
	c := exampleClusterInit()
	c.CACert, c.CAKey, c.GossipKey, c.NodeID = nil, nil, nil, ""
	r.must(By{System: Bootstrap}, c)
	token := exampleJoinTokenCreate()
	r.refused(operator, token, errs.Conflict, "This cluster has no certificate authority: nobody can join it.")
}

func TestJoinTokens(t *testing.T) {
	r := newRig(t, 1).withDemo()
	good := func() *JoinTokenCreate {
		return &JoinTokenCreate{ID: model.TokenID(r.UUID()), Role: model.NodeAgent, Name: "h1", SecretHash: make([]byte, 32), ExpiresAt: r.stamp.At + 600e9}
	}
	for name, change := range map[string]func(*JoinTokenCreate){
		"another role": func(c *JoinTokenCreate) { c.Role = "king" }, "no name": func(c *JoinTokenCreate) { c.Name = "" },
		"a name with a slash": func(c *JoinTokenCreate) { c.Name = "a/b" }, "a long name": func(c *JoinTokenCreate) { c.Name = strings.Repeat("a", 65) },
		"the secret itself": func(c *JoinTokenCreate) { c.SecretHash = []byte("secret") },
		"over already":      func(c *JoinTokenCreate) { c.ExpiresAt = r.stamp.At },
		"too long":          func(c *JoinTokenCreate) { c.ExpiresAt = r.stamp.At + model.MaxTokenLife + 2e9 },
	} {
		c := good()
		change(c)
		if _, err := r.apply(operator, c); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	longest := good()
	longest.ExpiresAt = r.stamp.At + 1e9 + model.MaxTokenLife // the entry comes a second later
	r.must(r.admin(), longest)
	again := good()
	again.ID = longest.ID
	r.refused(operator, again, errs.Conflict, "")
	r.refused(r.demo(), good(), errs.Forbidden, "")
	r.refused(hostActor(cloudHost), good(), errs.Forbidden, "")
	r.must(operator, &JoinTokenDelete{ID: longest.ID})
	r.refused(operator, &JoinTokenDelete{ID: longest.ID}, errs.NotFound, "")
}

func TestOpenTokensAreBounded(t *testing.T) {
	r := newRig(t, 1)
	end := r.stamp.At + 800e9
	make := func() *JoinTokenCreate {
		return &JoinTokenCreate{ID: model.TokenID(r.UUID()), Role: model.NodeAgent, Name: "h1", SecretHash: make([]byte, 32), ExpiresAt: end}
	}
	var last model.TokenID
	for range MaxOpenTokens {
		r.stamp.At -= 1e9 // all of them at one moment
		last = model.TokenID(r.must(operator, make())[0])
	}
	r.stamp.At -= 1e9
	r.refused(operator, make(), errs.Conflict, fmt.Sprintf("There are %d open join tokens, and no more may be: delete some.", MaxOpenTokens))
	r.must(joiner, r.join(aNode{last, model.NodeID(uuidNo(1)), model.NodeAgent, "h1", 1}))
	r.must(operator, make()) // a used one is not open
	r.refused(operator, make(), errs.Conflict, "")
	r.stamp.At = end
	end += 500e9
	r.must(operator, make()) // nor are expired ones
}

// TestJoinIsOnce: a token is good for one node with one key; that one gets the
// same answer as often as it asks.
func TestJoinIsOnce(t *testing.T) {
	r := newRig(t, 1)
	n := aNode{r.token(1, model.NodeControl, "c2"), model.NodeID(uuidNo(2)), model.NodeControl, "c2", 2}
	first := r.join(n)
	ids := r.must(joiner, first)
	if v := r.View(); v.ControlNode(n.node) == nil || v.Certificate(ids[0]) == nil || v.JoinToken(n.token).Serial != ids[0] || v.ControlNodeCount() != 2 {
		t.Fatalf("joined: %+v, %+v", v.ControlNode(n.node), v.JoinToken(n.token))
	}
	again := r.join(n)
	again.Serial, again.Address = fmt.Sprintf("%032x", 99), "elsewhere:8770"
	before := r.View().ControlNode(n.node)
	if got := r.must(joiner, again); got[0] != ids[0] || r.View().Certificate(again.Serial) != nil || r.View().ControlNode(n.node) != before {
		t.Errorf("again: %v, want %v and nothing new", got, ids)
	}
	otherKey, otherNode := n, n
	otherKey.key, otherNode.node = 3, model.NodeID(uuidNo(3))
	const bad = "The join token is not good: ask for a new one."
	r.refused(joiner, r.join(otherKey), errs.Unauthorized, bad)
	r.refused(joiner, r.join(otherNode), errs.Unauthorized, bad)
	r.stamp.At += model.MaxTokenLife
	r.must(joiner, again) // it has joined, whatever the time is
	r.must(operator, &NodeRemove{ID: n.node})
	r.refused(joiner, again, errs.Unauthorized, bad) // and it has left
}

func TestJoinNeedsAGoodToken(t *testing.T) {
	r := newRig(t, 1)
	const bad = "The join token is not good: ask for a new one."
	n := aNode{r.token(1, model.NodeAgent, "h1"), model.NodeID(uuidNo(2)), model.NodeAgent, "h1", 2}
	for name, change := range map[string]func(*aNode){
		"an unknown token": func(n *aNode) { n.token = model.TokenID(uuidNo(0x799)) },
		"another name":     func(n *aNode) { n.name = "h2" },
		"another role":     func(n *aNode) { n.role = model.NodeControl },
	} {
		m := n
		change(&m)
		if _, err := r.apply(joiner, r.join(m)); !errs.Is(err, errs.Unauthorized) || errs.Message(err) != bad {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.refused(r.admin(), r.join(n), errs.Forbidden, "")
	r.refused(hostActor(cloudHost), r.join(n), errs.Forbidden, "")
	late := r.join(n)
	r.stamp.At += 600e9
	r.refused(joiner, late, errs.Unauthorized, bad)
	m := n
	m.token = r.token(2, model.NodeAgent, "h1")
	r.must(operator, &JoinTokenDelete{ID: m.token})
	r.refused(joiner, r.join(m), errs.Unauthorized, bad)
}

func TestJoinRecordsAreWellFormed(t *testing.T) {
	r := newRig(t, 1)
	n := aNode{r.token(1, model.NodeControl, "c2"), model.NodeID(uuidNo(2)), model.NodeControl, "c2", 2}
	for name, change := range map[string]func(*NodeJoin){
		"no serial number": func(c *NodeJoin) { c.Serial = "1" }, "no key": func(c *NodeJoin) { c.KeyHash = "" },
		"a certificate that is over": func(c *NodeJoin) { c.NotAfter = r.stamp.At },
		"one that never begins":      func(c *NodeJoin) { c.NotBefore = c.NotAfter },
		"one that ends too soon":     func(c *NodeJoin) { c.NotAfter = r.stamp.At + 60e9 },
		"no address":                 func(c *NodeJoin) { c.Address = "" }, "no port": func(c *NodeJoin) { c.Address = "c2" },
		"port 0": func(c *NodeJoin) { c.Address = "c2:0" }, "a strange URL": func(c *NodeJoin) { c.PublicURL = "c2" },
		"an unprintable version": func(c *NodeJoin) { c.Version = "\x00" },
	} {
		c := r.join(n)
		change(c)
		if _, err := r.apply(joiner, c); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.must(joiner, r.join(n))
}

// TestNobodyPosesAsAnother: a good token lets nobody take the place of another
// node.
func TestNobodyPosesAsAnother(t *testing.T) {
	r := newRig(t, 1).withCloud() // host h1 is cloudHost
	h1 := model.NodeID(cloudHost)
	first := exampleClusterInit()
	c2 := aNode{r.token(1, model.NodeControl, "c2"), model.NodeID(uuidNo(2)), model.NodeControl, "c2", 2}
	r.must(joiner, r.join(c2))
	h5 := aNode{r.token(2, model.NodeAgent, "h5"), model.NodeID(uuidNo(5)), model.NodeAgent, "h5", 5}
	r.must(joiner, r.join(h5))
	for i, row := range []struct {
		name string
		n    aNode
	}{
		{"the name of a control node", aNode{"", model.NodeID(uuidNo(9)), model.NodeControl, "c2", 9}},
		{"the id of a control node", aNode{"", c2.node, model.NodeControl, "c9", 9}},
		{"the id of the first control node", aNode{"", first.NodeID, model.NodeControl, "c9", 9}},
		{"the id of a control node, as an agent", aNode{"", c2.node, model.NodeAgent, "h9", 9}},
		{"the id of an agent, as a control node", aNode{"", h5.node, model.NodeControl, "c9", 9}},
		{"the id of a host, as a control node", aNode{"", h1, model.NodeControl, "c9", 9}},
		{"the id of another agent", aNode{"", h5.node, model.NodeAgent, "h9", 9}},
		{"the id of a registered host", aNode{"", h1, model.NodeAgent, "h9", 9}},
		{"the name of a registered host", aNode{"", model.NodeID(uuidNo(9)), model.NodeAgent, "h1", 9}},
		{"the key of another node", aNode{"", model.NodeID(uuidNo(9)), model.NodeAgent, "h9", 5}},
		{"no UUID", aNode{"", "me", model.NodeAgent, "h9", 9}},
	} {
		row.n.token = r.token(10+i, row.n.role, row.n.name)
		if _, err := r.apply(joiner, r.join(row.n)); !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	taken := aNode{r.token(30, model.NodeControl, "c9"), model.NodeID(uuidNo(9)), model.NodeControl, "c9", 9}
	c := r.join(taken)
	c.Address = "c2:8770"
	r.refused(joiner, c, errs.Conflict, "")
	serial := r.join(taken)
	serial.Serial = fmt.Sprintf("%032x", 0x100+5)
	r.refused(joiner, serial, errs.Conflict, "")
}

// TestAnAgentJoinsAnew: a host that lost its key keeps its id and name, and its
// old certificate is taken back.
func TestAnAgentJoinsAnew(t *testing.T) {
	r := newRig(t, 1).withCloud()
	old := r.must(joiner, r.join(aNode{r.token(1, model.NodeAgent, "h1"), model.NodeID(cloudHost), model.NodeAgent, "h1", 1}))
	fresh := r.must(joiner, r.join(aNode{r.token(2, model.NodeAgent, "h1"), model.NodeID(cloudHost), model.NodeAgent, "h1", 2}))
	v := r.View()
	if v.Certificate(old[0]).RevokedAt == 0 || v.Certificate(fresh[0]).RevokedAt != 0 {
		t.Errorf("old %+v, new %+v", v.Certificate(old[0]), v.Certificate(fresh[0]))
	}
	if err := audit(v); err != nil {
		t.Error(err)
	}
}

func TestControlNodesLeave(t *testing.T) {
	r := newRig(t, 1).withDemo()
	first := exampleClusterInit()
	r.refused(operator, &NodeRemove{ID: first.NodeID}, errs.Conflict, "The last control node cannot be removed.")
	n := aNode{r.token(1, model.NodeControl, "c2"), model.NodeID(uuidNo(2)), model.NodeControl, "c2", 2}
	r.must(joiner, r.join(n))
	r.refused(r.demo(), &NodeRemove{ID: n.node}, errs.Forbidden, "")
	r.refused(operator, &NodeRemove{ID: model.NodeID(uuidNo(9))}, errs.NotFound, "")
	r.must(r.leader(), &NodeRemove{ID: first.NodeID})
	if c := r.View().Certificate(first.Serial); c.RevokedAt != r.stamp.At {
		t.Errorf("the certificate of who left: %+v", c)
	}
	r.refused(operator, &NodeRemove{ID: n.node}, errs.Conflict, "The last control node cannot be removed.")
	// It may come back, with a new key.
	back := aNode{r.token(2, model.NodeControl, "c1"), first.NodeID, model.NodeControl, "c1", 7}
	r.must(joiner, r.join(back))
	if r.View().ControlNodeCount() != 2 {
		t.Errorf("%d control nodes", r.View().ControlNodeCount())
	}
}

func TestTokensAndCertificatesAreForgotten(t *testing.T) {
	r := newRig(t, 1)
	used, open := r.token(1, model.NodeAgent, "h1"), r.token(2, model.NodeAgent, "h2")
	serial := r.must(joiner, r.join(aNode{used, model.NodeID(uuidNo(2)), model.NodeAgent, "h1", 2}))[0]
	end := r.View().Certificate(serial).NotAfter
	step := func(at int64, want bool) {
		t.Helper()
		if due := ExpireDue(r.View(), at); due != want {
			t.Errorf("due at %d: %t", at, due)
		}
		r.stamp.At = at - 1e9 // the entry comes a second later
		r.must(r.leader(), exampleExpire())
	}
	last := max(r.View().JoinToken(used).ExpiresAt, r.View().JoinToken(open).ExpiresAt)
	step(r.View().JoinToken(used).ExpiresAt+MemberKeep, false)
	if r.View().JoinToken(used) == nil {
		t.Error("a used token went too soon")
	}
	step(last+MemberKeep+1, true)
	if v := r.View(); v.JoinToken(used) != nil || v.JoinToken(open) != nil || v.Certificate(serial) == nil {
		t.Errorf("tokens %v, %v; certificate %v", v.JoinToken(used), v.JoinToken(open), v.Certificate(serial))
	}
	step(end+MemberKeep+1, true)
	if v := r.View(); v.Certificate(serial) != nil || v.Certificate(exampleClusterInit().Serial) == nil {
		t.Error("the certificate that ended stayed, or another went")
	}
	if ExpireDue(r.View(), r.stamp.At) {
		t.Error("there is still something to do")
	}
}
