package resttest

import (
	"net/http"
	"testing"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

func TestWorldServes(t *testing.T) {
	w := New(t)
	w.Front(&rest.Dialect{Name: "x", Root: "/x",
		Forbidden: func(r *rest.Route) string { return r.Name },
		Fault: func(_ *rest.Call, _ int, m string, _ http.Header) (any, string) {
			return map[string]any{"fault": m}, ""
		}},
		[]rest.Route{{Name: "who", Method: "GET", Path: "/who", Persona: rest.Member, Handle: func(c *rest.Call) (rest.Answer, error) {
			if c.Query("fail") != "" {
				return rest.Answer{}, errs.Errorf("x", errs.Conflict, "no")
			}
			return rest.JSON(200, map[string]any{"id": c.Caller.User.ID, "new": c.UUID(), "list": []int{1}}), nil
		}}})
	a := w.Do("GET", "/x/who", Member, nil, "").Want(200)
	if a.Text("id") != string(MemberUser) || a.At("list", 0) != 1.0 || a.At("list", 1) != nil {
		t.Errorf("body %s", a.Body)
	}
	a.Golden("who")
	w.Do("GET", "/x/who", "", nil, "").Want(401)
	w.Do("GET", "/x/who", Unscoped, nil, "").Want(403)
	w.Do("GET", "/x/who", Reader, nil, "").Want(403)
	if got := w.Do("GET", "/x/who?fail=1", Member, nil, "").Want(409).Text("fault"); got != "no" {
		t.Errorf("fault %q", got)
	}
	if w.View().Host(Host) == nil || w.View().Image(Image).Status != "active" || w.View().Subnet(Subnet).Gateway != "10.0.0.1" {
		t.Error("the world lacks its things")
	}
}
