package metadata

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGoldenTrees(t *testing.T) {
	for name, rec := range map[string]Record{"rich": rich(), "minimal": minimal()} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			for _, root := range []string{"/", "/openstack"} {
				body := get(t, rec, root)
				show(&out, root, body)
				for _, version := range strings.Split(body, "\n") {
					walk(t, rec, strings.TrimSuffix(root, "/")+"/"+version+"/", &out)
				}
			}
			golden(t, name+".txt", out.Bytes())
		})
	}
}

func TestGoldenConfigDrive(t *testing.T) {
	extra := Extra{AdminPass: "pässword", Files: []File{{Path: "/etc/motd", Body: []byte("hello\n")}, {Path: "/b", Body: nil}}}
	cases := map[string]struct {
		rec   Record
		extra Extra
	}{"drive-rich": {rich(), extra}, "drive-minimal": {minimal(), Extra{}}}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			for _, f := range ConfigDrive(c.rec, c.extra) {
				show(&out, f.Path, string(f.Body))
			}
			golden(t, name+".txt", out.Bytes())
		})
	}
}

// walk reads a directory the way cloud-init does: a name with a final slash is a directory, "N=name" stands for
// N/openssh-key, everything else is a value. Every listed name must answer.
func walk(t *testing.T, rec Record, dir string, out *bytes.Buffer) {
	t.Helper()
	listing := get(t, rec, dir)
	show(out, dir, listing)
	for _, line := range strings.Split(listing, "\n") {
		index, _, isKey := strings.Cut(line, "=")
		switch {
		case strings.HasSuffix(line, "/"):
			walk(t, rec, dir+line, out)
		case isKey:
			show(out, dir+index+"/openssh-key", get(t, rec, dir+index+"/openssh-key"))
		default:
			show(out, dir+line, get(t, rec, dir+line))
		}
	}
}

func get(t *testing.T, rec Record, path string) string {
	t.Helper()
	body, contentType, ok := Lookup(rec, path)
	if !ok {
		t.Fatalf("%s: not found", path)
	}
	want := "text/plain"
	if strings.HasSuffix(path, ".json") {
		want = "application/json"
	}
	if contentType != want {
		t.Errorf("%s: content type %q, want %q", path, contentType, want)
	}
	return string(body)
}

func show(out *bytes.Buffer, path, body string) { fmt.Fprintf(out, "== %s\n%s\n", path, body) }

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update and read the diff); got:\n%s", file, got)
	}
}
