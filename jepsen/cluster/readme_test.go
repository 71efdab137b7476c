package cluster

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheReadmesExamplesCompile: whoever copies from the README begins with
// something that works.
func TestTheReadmesExamplesCompile(t *testing.T) {
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, here := t.TempDir(), map[string]string{}
	for i, part := range strings.Split(string(b), "```go\n")[1:] {
		code, _, _ := strings.Cut(part, "```")
		path := filepath.Join(dir, fmt.Sprintf("readme%d.go", i))
		if err := os.WriteFile(path, []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
		as, err := filepath.Abs(filepath.Base(path))
		if err != nil {
			t.Fatal(err)
		}
		here[as] = path
	}
	if len(here) != 4 {
		t.Errorf("found %d examples: the pattern is wrong", len(here))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": here})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, ".").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	formatted, err := exec.CommandContext(t.Context(), "gofmt", "-l", dir).CombinedOutput()
	if err != nil || len(formatted) > 0 {
		t.Errorf("gofmt would change %s: %v", formatted, err)
	}
}
