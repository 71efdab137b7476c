package operator

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// TestWhy follows a server from its making to its end, and one that no host
// takes.
func TestWhy(t *testing.T) {
	w := resttest.New(t)
	v := &Verbs{Cluster: w, Log: slog.New(slog.DiscardHandler)}
	ask := func(id, want string, status int) {
		t.Helper()
		got := httptest.NewRecorder()
		v.Handler().ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/v1/servers/"+id+"/why", nil))
		if got.Code != status || strings.TrimSpace(got.Body.String()) != want {
			t.Errorf("%d %s\nwant %d %s", got.Code, got.Body, status, want)
		}
	}
	server := func(id, name string) model.ServerID {
		w.Must(w.By(resttest.Member), &command.ServerCreate{ProjectID: resttest.MemberProject, UserID: resttest.MemberUser, ImageID: resttest.Image,
			ReservationID: "r-1", Size: model.Size{FlavorID: "1", FlavorName: "m1.tiny", VCPUs: 1, RAM: 512, Disk: 1},
			Items: []command.ServerItem{{ID: model.ServerID(id), Name: name, Hostname: name}}})
		return model.ServerID(id)
	}
	web, big := server("00000000-0000-4000-8000-000000000001", "web"), server("00000000-0000-4000-8000-000000000002", "big")
	ask(string(web), `{"id":"00000000-0000-4000-8000-000000000001","name":"web","state":"building","host":"","trace":"","fault":""}`, 200)
	w.Run(web)
	ask(string(web), `{"id":"00000000-0000-4000-8000-000000000001","name":"web","state":"active","host":"h1","trace":"at index 7, 1 host; 1. h1 (2000)","fault":""}`, 200)
	w.Must(w.By(resttest.Member), &command.ServerDelete{ID: web})
	ask(string(web), `{"id":"00000000-0000-4000-8000-000000000001","name":"web","state":"deleted","host":"h1","trace":"at index 7, 1 host; 1. h1 (2000)","fault":""}`, 200)
	w.Must(w.Leader(), &command.ServersPlace{Items: []command.Placement{{ServerID: big, Fault: "No valid host was found.", Trace: "1 host: 1 too little RAM"}}})
	ask(string(big), `{"id":"00000000-0000-4000-8000-000000000002","name":"big","state":"error","host":"","trace":"1 host: 1 too little RAM","fault":"No valid host was found."}`, 200)
	ask("web", `{"error":{"kind":"not found","message":"There is no server \"web\": name it by its id."}}`, 404)
}
