package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAReleaseHasNoFailpoints: neither a name of a place nor the way to put the
// clock wrong is in a release; in a build for the fault harness both are.
func TestAReleaseHasNoFailpoints(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program twice")
	}
	for _, x := range []struct {
		tags string
		want bool
	}{{"libvirt_dlopen", false}, {"libvirt_dlopen,faults", true}} {
		path := filepath.Join(t.TempDir(), "kvorum")
		if out, err := exec.Command("go", "build", "-tags", x.tags, "-o", path, ".").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		binary, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"failpoint:", "drift_ppm", "FAILPOINT_" + "SOCKET"} {
			if got := bytes.Contains(binary, []byte(word)); got != x.want {
				t.Errorf("tags %s: %q in the binary: %v, want %v", x.tags, word, got, x.want)
			}
		}
	}
}
