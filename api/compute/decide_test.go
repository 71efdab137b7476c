package compute

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
)

func TestHostnames(t *testing.T) {
	for name, want := range map[string]string{
		"web": "web", "My Web_Server.1": "my-web-server-1", "-x-": "x", "déjà vu": "dj-vu", "名前": "server-ID", "...": "server-ID",
		strings.Repeat("a", 70): strings.Repeat("a", 63), strings.Repeat("b", 62) + " c": strings.Repeat("b", 62),
	} {
		if got := hostname(name, "ID"); got != want {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
	}
}

// TestDecideIsPure: equal view, caller, input and ids give the equal command.
func TestDecideIsPure(t *testing.T) {
	r := newRig(t)
	var in createIn
	if err := json.Unmarshal([]byte(create(`"min_count":3`)), &in); err != nil {
		t.Fatal(err)
	}
	decide := func() string {
		n := 0
		cmd, err := decideCreate(r.View(), r.Caller(resttest.Member), in, func() string {
			n++
			return fmt.Sprintf("%02x000000-0000-4000-8000-%012x", n%7, n) // MACs repeat: taken ones must not be given
		})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(cmd)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := decide()
	if again := decide(); again != first {
		t.Errorf("%s\nand then\n%s", first, again)
	}
	seen := map[string]bool{}
	for _, part := range strings.Split(first, `"mac":"`)[1:] {
		if mac := part[:17]; seen[mac] {
			t.Errorf("%s is given twice", mac)
		} else {
			seen[mac] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d MACs, want 3: %s", len(seen), first)
	}
}

// TestEveryRouteIsThereTwice: below the version, and below it and the project.
func TestEveryRouteIsThereTwice(t *testing.T) {
	paths := map[string]int{}
	for _, route := range (&Door{}).Routes() {
		paths[route.Method+strings.Replace(route.Path, "/{project_id:[0-9a-f-]+}", "", 1)]++
	}
	for path, n := range paths {
		if want := map[bool]int{true: 1, false: 2}[path == "GET/" || path == "GET" || strings.HasSuffix(strings.TrimSuffix(path, "/"), "/v2.1")]; n != want {
			t.Errorf("%s is there %d times, want %d", path, n, want)
		}
	}
	if len(paths) < 50 {
		t.Errorf("only %d routes", len(paths))
	}
}
