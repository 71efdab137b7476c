package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/jepsen/cloud"
)

// picture is what the cloud's users see of it: answers of its APIs by path,
// each as lines.
type picture map[string]string

// seen are the paths of a picture. %s is the project.
var seen = []string{
	"/identity/v3/users", "/identity/v3/projects",
	"/compute/v2.1/servers/detail", "/compute/v2.1/os-quota-sets/%s/detail", "/compute/v2.1/limits", "/compute/v2.1/os-keypairs",
	"/compute/v2.1/os-hypervisors", "/compute/v2.1/flavors/detail",
	"/network/v2.0/networks", "/network/v2.0/subnets", "/network/v2.0/ports", "/network/v2.0/routers", "/network/v2.0/quotas/%s/details",
	"/image/v2/images",
}

// takePicture asks the control node at the URL for all of it.
func takePicture(ctx context.Context, url string) (picture, error) {
	login := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"admin","domain":{"id":"default"},"password":%q}}},
		"scope":{"project":{"name":"admin","domain":{"id":"default"}}}}}`, cloud.Password)
	var answer struct {
		Token struct{ Project struct{ ID string } }
	}
	header, body, err := call(ctx, http.MethodPost, url+"/identity/v3/auth/tokens", "", login)
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil {
		return nil, err
	}
	p := picture{}
	for _, path := range seen {
		path = strings.Replace(path, "%s", answer.Token.Project.ID, 1)
		_, body, err := call(ctx, http.MethodGet, url+path, header.Get("X-Subject-Token"), "")
		if err != nil {
			return nil, err
		}
		var any map[string]any
		if err := json.Unmarshal(body, &any); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		withoutTimes(any)
		lines, err := json.MarshalIndent(any, "", " ")
		if err != nil {
			return nil, err
		}
		// Links lead to the node that was asked.
		p[path] = strings.ReplaceAll(string(lines), url, "")
	}
	return p, nil
}

func call(ctx context.Context, method, url, token, body string) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("OpenStack-API-Version", "compute 2.93")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, bytes.TrimSpace(answer))
	}
	return resp.Header, answer, err
}

// withoutTimes drops when and how often something was changed: a guest that
// went down and came up again was, and its ports were.
func withoutTimes(in any) {
	switch x := in.(type) {
	case map[string]any:
		delete(x, "updated")
		delete(x, "updated_at")
		delete(x, "revision_number")
		for _, v := range x {
			withoutTimes(v)
		}
	case []any:
		for _, v := range x {
			withoutTimes(v)
		}
	}
}

// diff lists the lines that differ, with their paths.
func (p picture) diff(later picture) string {
	var b strings.Builder
	for path, before := range p {
		had, has := strings.Split(before, "\n"), strings.Split(later[path], "\n")
		for i := range max(len(had), len(has)) {
			was, is := at(had, i), at(has, i)
			if was != is {
				fmt.Fprintf(&b, "%s:%d:\n - %s\n + %s\n", path, i+1, was, is)
			}
		}
	}
	return b.String()
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// mustPicture asks a control node that is ready.
func mustPicture(ctx context.Context, t *testing.T, s *show) picture {
	t.Helper()
	var err error
	for _, h := range s.cloud.Controls {
		var p picture
		if p, err = takePicture(ctx, cloud.PublicURL(h)); err == nil {
			return p
		}
	}
	t.Fatal(err)
	return nil
}

// waitForPicture waits until the cloud looks as it did, at every control node.
func waitForPicture(ctx context.Context, t *testing.T, s *show, want picture) {
	t.Helper()
	for _, h := range s.cloud.Controls {
		eventually(ctx, t, s, "at "+h.Name()+" the cloud does not look as it did", func() error {
			is, err := takePicture(ctx, cloud.PublicURL(h))
			if err != nil {
				return err
			}
			if d := want.diff(is); d != "" {
				return errors.New(d)
			}
			return nil
		})
	}
}
