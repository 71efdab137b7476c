package resttest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var update = flag.Bool("update", false, "write the goldens anew")

// random is what differs from run to run; ids of the world's own things begin
// with zeros and stay.
var random = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|fa:16:3e(?::[0-9a-f]{2}){3}|r-[0-9a-f]{8}\b`)

// Golden compares the answer, indented and with its random ids numbered, with
// testdata/NAME.json of the package under test; -update writes that file.
func (a *Answer) Golden(name string) {
	a.t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%d\n", a.Status)
	if err := json.Indent(&out, a.Body, "", "  "); err != nil {
		out.Write(a.Body)
	}
	seen := map[string]string{}
	got := random.ReplaceAllStringFunc(out.String(), func(id string) string {
		if strings.HasPrefix(id, "00000000-") {
			return id
		}
		if seen[id] == "" {
			seen[id] = fmt.Sprintf("<random %d>", len(seen)+1)
		}
		return seen[id]
	}) + "\n"
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			a.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			a.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		a.t.Fatal(err)
	}
	if got != string(want) {
		a.t.Errorf("%s differs (-update writes it anew); got\n%s", file, got)
	}
}
