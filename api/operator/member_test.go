package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

const (
	firstNode  = "00000000-0000-4000-8000-0000000000a1" // the golden cluster.init's c1
	secondNode = "00000000-0000-4000-8000-0000000000a2"
)

// desk is the door of a world with the control nodes c1 and c2.
type desk struct {
	*resttest.World
	v *Verbs
	// asked is what the door wanted of raft, and fail what raft says to it.
	asked []string
	fail  error
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{World: resttest.New(t)}
	made := 0
	d.v = &Verbs{Cluster: d, Clock: d.Clock, Log: slog.New(slog.DiscardHandler),
		NewID: func() string { made++; return fmt.Sprintf("op-%d", made) },
		Removable: func(_ context.Context, id string) error {
			d.asked = append(d.asked, "removable "+id)
			return d.fail
		},
		HandOver: func(id string) error {
			d.asked = append(d.asked, "hand over "+id)
			return d.fail
		}}
	d.token("00000000-0000-4000-8000-0000000000aa", "c2", 10*time.Minute)
	d.Must(command.By{System: command.Join}, &command.NodeJoin{TokenID: "00000000-0000-4000-8000-0000000000aa", NodeID: secondNode, Role: model.NodeControl, Name: "c2",
		KeyHash: strings.Repeat("c2", 32), Serial: strings.Repeat("e2", 16), NotAfter: d.Clock.Now().Add(time.Hour).UnixNano(), Address: "10.0.0.2:8770"})
	return d
}

// token makes a join token for a control node.
func (d *desk) token(id, name string, life time.Duration) {
	d.Must(command.By{System: command.Operator}, &command.JoinTokenCreate{ID: model.TokenID(id), Role: model.NodeControl, Name: name,
		SecretHash: make([]byte, 32), ExpiresAt: d.Clock.Now().Add(life).UnixNano()})
}

// do calls a verb and gives its answer, which must have a status.
func (d *desk) do(method, path, body string, status int) string {
	d.T.Helper()
	w := httptest.NewRecorder()
	d.v.Handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	if w.Code != status {
		d.T.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	return w.Body.String()
}

// TestRemoveMember, by name or id, if raft can do without it.
func TestRemoveMember(t *testing.T) {
	for _, name := range []string{"c2", secondNode} {
		d := newDesk(t)
		d.fail = errs.Errorf("test", errs.Conflict, "Nothing could be decided any more.")
		if says := d.do("DELETE", "/v1/members/"+name, "", 409); !strings.Contains(says, "Nothing could be decided any more.") {
			t.Errorf("%s", says)
		}
		if d.View().ControlNode(secondNode) == nil || fmt.Sprint(d.asked) != "[removable "+secondNode+"]" {
			t.Errorf("asked %v, and then it was removed", d.asked)
		}
		d.fail = nil
		if says := d.do("DELETE", "/v1/members/"+name, "", 200); says != `{"id":"`+secondNode+`","name":"c2"}`+"\n" {
			t.Errorf("%s", says)
		}
		if c := d.View().Certificate(strings.Repeat("e2", 16)); d.View().ControlNode(secondNode) != nil || c.RevokedAt == 0 {
			t.Errorf("it is still there, or its certificate %+v is good", c)
		}
		d.do("DELETE", "/v1/members/"+name, "", 404)
		d.do("DELETE", "/v1/members/c1", "", 409) // the last one
	}
}

func TestHandOver(t *testing.T) {
	d := newDesk(t)
	d.do("POST", "/v1/leader", `{"to":"c2"}`, 200)
	d.do("POST", "/v1/leader", `{"to":"`+firstNode+`"}`, 200)
	d.do("POST", "/v1/leader", `{}`, 200)
	if got, want := fmt.Sprint(d.asked), "[hand over "+secondNode+" hand over "+firstNode+" hand over ]"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	d.do("POST", "/v1/leader", `{"to":"c9"}`, 404)
	d.do("POST", "/v1/leader", `{"whom":"c2"}`, 400)
	d.do("POST", "/v1/leader", `{"to":"`+strings.Repeat("x", maxBody)+`"}`, 413)
	d.fail = errs.Errorf("test", errs.Conflict, "This control node does not lead.")
	d.do("POST", "/v1/leader", `{}`, 409)
}

// TestTokens are listed without what one could join with, and taken back.
func TestTokens(t *testing.T) {
	d := newDesk(t)
	d.token("00000000-0000-4000-8000-0000000000ab", "c3", time.Minute)
	d.token("00000000-0000-4000-8000-0000000000ac", "c4", 5*time.Minute)
	d.Clock.Advance(2 * time.Minute)
	says := d.do("GET", "/v1/join-tokens", "", 200)
	var out struct{ Tokens []Token }
	if err := json.Unmarshal([]byte(says), &out); err != nil || len(out.Tokens) != 3 || strings.Contains(says, "hash") {
		t.Fatalf("%s, %v", says, err)
	}
	for i, want := range []Token{{Name: "c3", State: "expired"}, {Name: "c4", State: "open"}, {Name: "c2", State: "used", Node: secondNode}} {
		if got := out.Tokens[i]; got.Name != want.Name || got.State != want.State || got.Node != want.Node || got.Role != model.NodeControl || got.ExpiresAt == "" {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	d.do("DELETE", "/v1/join-tokens/"+out.Tokens[1].ID, "", 200)
	d.do("DELETE", "/v1/join-tokens/"+out.Tokens[1].ID, "", 404)
	if d.View().JoinToken("00000000-0000-4000-8000-0000000000ac") != nil || d.View().ControlNode(secondNode) == nil {
		t.Error("the token is still there, or somebody who joined is not")
	}
}
