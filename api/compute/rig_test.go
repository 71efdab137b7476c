package compute

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// fakeConsoles has the same log for every guest.
type fakeConsoles struct{ text string }

func (f fakeConsoles) Output(_ context.Context, _ *model.Host, _ *model.Server, max int) ([]byte, error) {
	return []byte(f.text[:min(max, len(f.text))]), nil
}

// rig is a world with this front door.
type rig struct{ *resttest.World }

func newRig(t testing.TB) *rig {
	t.Helper()
	w := resttest.New(t)
	d := &Door{Seal: func(b []byte) ([]byte, error) { return append([]byte("sealed:"), b...), nil },
		Open: func(b []byte) ([]byte, error) {
			plain, ok := bytes.CutPrefix(b, []byte("sealed:"))
			if !ok {
				return nil, errs.Errorf("rig.open", errs.Internal, "")
			}
			return plain, nil
		},
		OpenPassword: func(b []byte) ([]byte, error) { return bytes.TrimPrefix(b, []byte("secret:")), nil },
		Consoles:     fakeConsoles{"one\r\ntwo\x1b\nthree\n"}}
	w.Front(Dialect("/compute"), d.Routes())
	w.Front(Dialect(""), d.Routes())
	return &rig{w}
}

// at asks for a microversion; "" for none.
func at(version string) map[string]string {
	if version == "" {
		return nil
	}
	return map[string]string{oldHeader: version}
}

// ask is a request of a member below /v2.1, admin one of an administrator.
func (r *rig) ask(method, path, version, body string) *resttest.Answer {
	r.T.Helper()
	return r.Do(method, "/compute/v2.1"+path, resttest.Member, at(version), body)
}

func (r *rig) admin(method, path, version, body string) *resttest.Answer {
	r.T.Helper()
	return r.Do(method, "/compute/v2.1"+path, resttest.Admin, at(version), body)
}

// server makes a server as a member and gives its id.
func (r *rig) server(name string) model.ServerID {
	r.T.Helper()
	body := fmt.Sprintf(`{"server":{"name":%q,"imageRef":%q,"flavorRef":"1"}}`, name, resttest.Image)
	return model.ServerID(r.ask("POST", "/servers", "", body).Want(202).Text("server", "id"))
}

// message is the sentence of a fault.
func message(a *resttest.Answer) string {
	for _, v := range a.JSON() {
		if m, ok := v.(map[string]any); ok {
			s, _ := m["message"].(string)
			return s
		}
	}
	return ""
}

// create is the body of a create with further fields.
func create(fields ...string) string {
	all := append([]string{`"name":"web"`, fmt.Sprintf(`"imageRef":%q`, resttest.Image), `"flavorRef":"1"`}, fields...)
	return `{"server":{` + strings.Join(all, ",") + `}}`
}
