package compute

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// TestRoutesAreThereAtTheirVersions: outside of the versions that have it a
// route is not there, and within none is a 404 for the version's sake.
func TestRoutesAreThereAtTheirVersions(t *testing.T) {
	r := newRig(t)
	id := string(r.server("web"))
	names := regexp.MustCompile(`\{[^}]*\}`)
	bounded := 0
	for _, route := range (&Door{}).Routes() {
		if strings.Contains(route.Path, "{project_id") || route.Quiet {
			continue
		}
		path := strings.Replace(strings.TrimPrefix(route.Path, "/v2.1"), "/servers/{id}", "/servers/"+id, 1)
		path = names.ReplaceAllString(path, "1")
		missing := func(v rest.Version) bool {
			a := r.admin(route.Method, path, v.String(), "")
			return a.Status == 404 && message(a) == "The resource could not be found."
		}
		if none := (rest.Version{}); route.Min != none && since(1).Less(route.Min) {
			bounded++
			if before := since(route.Min.Minor - 1); !missing(before) {
				t.Errorf("%s %s is there at %s", route.Method, route.Path, before)
			}
		}
		if none := (rest.Version{}); route.Max != none {
			bounded++
			if after := since(route.Max.Minor + 1); !missing(after) {
				t.Errorf("%s %s is there at %s", route.Method, route.Path, after)
			}
		} else if missing(maxVersion) {
			t.Errorf("%s %s is not there at %s", route.Method, route.Path, maxVersion)
		}
	}
	if bounded < 15 {
		t.Errorf("only %d routes have bounds: this test looks at nothing", bounded)
	}
}

// hasty is a cloud in which somebody else deletes at once what is made or
// changed.
type hasty struct{ *resttest.World }

func (h hasty) Propose(ctx context.Context, e command.Envelope) (rest.Done, error) {
	done, err := h.World.Propose(ctx, e)
	switch c := e.Command.(type) {
	case *command.FlavorCreate:
		h.Must(h.By(resttest.Admin), &command.FlavorDelete{ID: c.ID})
	case *command.FlavorUpdate:
		h.Must(h.By(resttest.Admin), &command.FlavorDelete{ID: c.ID})
	case *command.KeyPairCreate:
		h.Must(h.By(resttest.Admin), &command.KeyPairDelete{UserID: c.UserID, Name: c.Name})
	case *command.ServerUpdate:
		h.Must(h.By(resttest.Admin), &command.ServerDelete{ID: c.ID})
	}
	done.View = h.View()
	return done, err
}

// TestWhatVanishesAtOnceIsNotFound: the answer is rendered from a state that
// may be newer than the change.
func TestWhatVanishesAtOnceIsNotFound(t *testing.T) {
	r := newRig(t)
	id := r.server("web")
	tagged := r.server("tagged")
	r.Run(tagged)
	r.Shell.Cluster = hasty{r.World}
	r.admin("POST", "/flavors", "", `{"flavor":{"name":"x","ram":64,"vcpus":1,"disk":1}}`).Want(404)
	r.admin("PUT", "/flavors/1", "2.55", `{"flavor":{"description":"x"}}`).Want(404)
	r.ask("POST", "/os-keypairs", "", `{"keypair":{"name":"k","public_key":"`+someKey+`"}}`).Want(404)
	r.ask("PUT", "/servers/"+string(id), "", `{"server":{"name":"x"}}`).Want(404)
	r.ask("PUT", "/servers/"+string(tagged)+"/tags", "2.26", `{"tags":["x"]}`).Want(404)
}

// TestUserDataIsForAdministrators: as it was given, from 2.3 on; for nobody
// else, and not for the dead.
func TestUserDataIsForAdministrators(t *testing.T) {
	r := newRig(t)
	const data = "aGk="
	id := r.ask("POST", "/servers", "", create(`"user_data":"`+data+`"`)).Want(202).Text("server", "id")
	none := string(r.server("plain"))
	field := "OS-EXT-SRV-ATTR:user_data"
	if a := r.admin("GET", "/servers/"+id, "2.3", "").Want(200); a.At("server", field) != data {
		t.Errorf("%s", a.Body)
	}
	if a := r.admin("GET", "/servers/detail?all_tenants=1&uuid="+id, "2.3", "").Want(200); a.At("servers", 0, field) != data {
		t.Errorf("%s", a.Body)
	}
	if a := r.admin("GET", "/servers/"+none, "2.3", "").Want(200); a.At("server", field) != nil {
		t.Errorf("%s", a.Body)
	}
	for _, a := range []*resttest.Answer{r.admin("GET", "/servers/"+id, "2.2", ""), r.ask("GET", "/servers/"+id, "2.3", "")} {
		if _, there := a.Want(200).At("server").(map[string]any)[field]; there {
			t.Errorf("%s", a.Body)
		}
	}
	s := r.View().Server(model.ServerID(id))
	if strings.Contains(string(s.UserData), data) {
		t.Errorf("the log has it plain: %q", s.UserData)
	}
	// What cannot be opened is a defect, and not shown as if there were none.
	r.Must(r.By(resttest.Member), &command.ServerCreate{ProjectID: resttest.MemberProject, UserID: resttest.MemberUser, ImageID: resttest.Image,
		Items: []command.ServerItem{{ID: nowhere, Name: "odd", Hostname: "odd"}}, Size: model.Size{FlavorID: "1", VCPUs: 1, RAM: 512, Disk: 1},
		UserData: []byte("not sealed"), ReservationID: "r-1"})
	r.admin("GET", "/servers/"+nowhere, "2.3", "").Want(500)
}
