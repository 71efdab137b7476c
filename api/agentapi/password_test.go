package agentapi

import (
	"strings"
	"testing"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/metadata"
)

// TestPassword: what a guest posted is in the log sealed, is told to its host,
// and stays, whichever control node hears of it, until its user forgets it.
func TestPassword(t *testing.T) {
	c := newCloud(t, 2)
	c.grow("")
	for _, n := range c.nodes {
		n.door.Seal = c.box.Seal
	}
	permit := c.nodes[0].machine.View().Permit(theTree).Number
	l := &lossy{lose: 1} // the first answer is lost: the second node is asked, too
	client := c.client(l)
	post := func(permit uint64, text string) error {
		return client.Password(t.Context(), assign.Password{HostID: string(theHost), Guest: string(theTree), Permit: permit, Text: text})
	}
	if err := post(permit, "c2VjcmV0"); err != nil || len(l.hosts) != 2 || c.kinds("server.password/1") != 1 {
		t.Fatalf("%v, through %v", err, l.hosts)
	}
	if strings.Contains(string(c.log[len(c.log)-1].Data), "c2VjcmV0") {
		t.Error("it is in the log for all to read")
	}
	for _, n := range c.nodes {
		a := n.ask(theHost, "", 0, false)
		if a.whole == nil || len(a.whole.Guests) != 1 || string(a.whole.Guests[0].Password) != "c2VjcmV0" {
			t.Errorf("its host is told %s", a)
		}
	}
	for _, bad := range []struct {
		permit uint64
		text   string
		kind   errs.Kind
	}{{permit, "another", errs.Conflict}, {permit, "", errs.Invalid}, {permit, strings.Repeat("x", metadata.MaxPassword+1), errs.Invalid}} {
		if err := post(bad.permit, bad.text); !errs.Is(err, bad.kind) {
			t.Errorf("%.20q: %v", bad.text, err)
		}
	}
	c.must(root, &command.ServerPassword{ID: theTree})
	if err := post(permit-1, "c2VjcmV0"); !errs.Is(err, errs.NotFound) {
		t.Errorf("under another permit: %v", err)
	}
	if err := post(permit, strings.Repeat("x", metadata.MaxPassword)); err != nil {
		t.Errorf("the longest one: %v", err)
	}
	if err := client.Password(t.Context(), assign.Password{HostID: "00000000-0000-4000-8000-0000000000f9", Guest: string(theTree), Permit: permit, Text: "x"}); !errs.Is(err, errs.Forbidden) {
		t.Errorf("another host: %v", err)
	}
}
