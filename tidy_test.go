package kvorum

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/kvorum/kvorum"

// source is one parsed Go file of the project.
type source struct {
	path  string // from the root, such as fsm/machine.go
	dir   string
	text  string
	file  *ast.File
	test  bool
	lines int
}

var fset = token.NewFileSet()

// sources parses every Go file once.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "out" || path == "bin" || path != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, path, b, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{path: path, dir: filepath.Dir(path), text: string(b), file: f,
			test: strings.HasSuffix(path, "_test.go"), lines: strings.Count(string(b), "\n")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("found only %d Go files: the walk is wrong", len(all))
	}
	return all
}

func imports(s source) (out []string) {
	for _, i := range s.file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err == nil {
			out = append(out, path)
		}
	}
	return out
}

func under(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

// The layers, from the top. A package imports only what lies below it, or
// beside it where the table says so.
var layers = []struct {
	roots   []string
	because string
}{
	{[]string{"hack", "jepsen"}, "tools and harness may use everything; nothing may use them"},
	{[]string{"cmd"}, "wiring only"},
	{[]string{"api", "leader", "raftnode", "gossip", "hostagent"}, "the parts of a node know the state, not each other"},
	{[]string{"fsm", "placement", "netd", "metadata", "imagestore"}, "what decides knows nothing of how it is served"},
	{[]string{"internal"}, "the vocabulary: it knows nobody"},
}

func layer(dir string) int {
	for i, l := range layers {
		for _, root := range l.roots {
			if under(dir, root) {
				return i
			}
		}
	}
	return -1
}

// beside are the imports within one layer, or upwards, that are meant.
var beside = map[string][]string{
	"api/*":                {"api/rest"},
	"hostagent/*":          {"hostagent", "hostagent/netsvc"},
	"netd/*":               {"netd"},
	"fsm":                  {"fsm/command", "fsm/state"},
	"fsm/command":          {"fsm/state"},
	"raftnode/*":           {"raftnode"},
	"imagestore/*":         {"imagestore"},
	"cmd/*":                {"cmd"},
	"jepsen/*":             {"jepsen"},
	"hack/*":               {"hack", "jepsen"},
	"internal/seal":        {"internal/errs"},
	"internal/failpoint":   {"internal/clock"},
	"internal/pki":         {"internal/errs", "internal/clock", "internal/model"},
	"internal/wire":        {"internal/errs", "internal/clock", "internal/pki"},
	"internal/pki/joining": {"internal/errs", "internal/clock", "internal/pki", "internal/wire"},
	"placement":            {},
	"netd/kernel":          {"netd"},
	"api/rest":             {"api/rest"},
	"cmd/kvorum":           {"cmd/kvorum"},
	"jepsen/cloud":         {"jepsen/testbed"},
}

func allowedBeside(from, to string) bool {
	for pattern, targets := range beside {
		if pattern != from && !(strings.HasSuffix(pattern, "/*") && under(from, strings.TrimSuffix(pattern, "/*"))) {
			continue
		}
		for _, target := range targets {
			if under(to, target) {
				return true
			}
		}
	}
	return false
}

func TestImportsGoDown(t *testing.T) {
	for _, s := range sources(t) {
		from := layer(s.dir)
		if from < 0 && s.dir != "." {
			t.Errorf("%s lies in no layer: because every folder has its place in ARCHITECTURE.md", s.path)
		}
		for _, path := range imports(s) {
			to, ours := strings.CutPrefix(path, module+"/")
			if !ours || s.test && !strings.HasPrefix(to, "jepsen") && !strings.HasPrefix(to, "hack") {
				continue
			}
			if l := layer(to); l > from || l == from && (under(to, s.dir) && s.dir != "cmd" || allowedBeside(s.dir, to)) {
				continue
			}
			if s.dir == "cmd/kvorum-bench" && under(to, "raftnode") {
				continue
			}
			t.Errorf("%s imports %s: because imports go down only (%s)", s.path, to, layers[max(from, 0)].because)
		}
	}
}

// TestTheseNeverMeet holds the imports that would undo the design.
func TestTheseNeverMeet(t *testing.T) {
	never := []struct{ from, to, because string }{
		{"hostagent", "fsm", "a host knows what it is assigned, not how that was decided"},
		{"hostagent", "raftnode", "a host takes no part in the log"},
		{"gossip", "fsm", "gossip hints; what it says is no part of the state"},
		{"fsm", "gossip", "nothing in the state changes by gossip"},
		{"leader", "gossip", "no verdict follows from gossip: who has the key can lie"},
		{"netd", "fsm", "the network plans from its own small types"},
		{"fsm", "placement", "the log carries decisions; it does not make them"},
		{"fsm", "api", "the state does not know who shows it"},
		{"metadata", "internal/model", "metadata is used where the state is not"},
		{"placement", "fsm", "placement takes plain hosts, so that it can be tested as text"},
		{"fsm", "internal/pki", "what a certificate means to a library may change with its version; the state has only its record"},
	}
	for _, s := range sources(t) {
		for _, path := range imports(s) {
			to, _ := strings.CutPrefix(path, module+"/")
			for _, n := range never {
				if under(s.dir, n.from) && under(to, n.to) && !s.test {
					t.Errorf("%s imports %s: because %s", s.path, to, n.because)
				}
			}
		}
	}
}

// importers says which package alone imports a library. A prefix of a folder
// counts for what lies below it.
var importers = map[string]string{
	"github.com/hashicorp/raft":             "raftnode",
	"github.com/hashicorp/raft-boltdb":      "raftnode",
	"github.com/hashicorp/go-metrics":       "raftnode gossip",
	"github.com/hashicorp/go-hclog":         "raftnode",
	"github.com/hashicorp/serf":             "gossip",
	"github.com/hashicorp/memberlist":       "gossip",
	"github.com/hashicorp/go-msgpack":       "gossip",
	"go.etcd.io/bbolt":                      "raftnode",
	"github.com/tidwall/btree":              "fsm/state",
	"github.com/anishathalye/porcupine":     "jepsen/cluster",
	"github.com/go-chi/chi":                 "api/rest cmd/kvorum",
	"github.com/prometheus/client_golang":   "api/operator",
	"github.com/vishvananda/netlink":        "netd/kernel",
	"github.com/vishvananda/netns":          "netd/kernel",
	"github.com/insomniacslk/dhcp":          "netd/dhcp",
	"github.com/miekg/dns":                  "netd/dns",
	"libvirt.org/go/libvirt":                "hostagent/libvirt",
	"libvirt.org/go/libvirtxml":             "hostagent/libvirt",
	"github.com/spf13/cobra":                "cmd/kvorum",
	"github.com/pelletier/go-toml":          "cmd/kvorum/config",
	"golang.org/x/crypto/argon2":            "api/identity",
	"golang.org/x/crypto/ssh":               "api/compute",
	"golang.org/x/sys/unix":                 "hostagent imagestore internal/clock jepsen/disk jepsen/faultnet jepsen/testbed netd",
	"github.com/google/uuid":                "api/rest cmd",
	"pgregory.net/rapid":                    "",
	"github.com/prometheus/client_model/go": "api/operator",
	"github.com/google/nftables":            "netd/kernel",
	"golang.org/x/net":                      "",
	"github.com/hanwen/go-fuse":             "jepsen/disk/drive",
}

func TestOneImporterPerLibrary(t *testing.T) {
	for _, s := range sources(t) {
		for _, path := range imports(s) {
			first, _, _ := strings.Cut(path, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(path, module) {
				continue
			}
			home, known := "", false
			for lib, where := range importers {
				if under(path, lib) || strings.HasPrefix(path, lib+"/v") {
					home, known = where, true
				}
			}
			if !known {
				t.Errorf("%s imports %s, which stands in no row: because each library is a decision (docs/decisions)", s.path, path)
				continue
			}
			if s.test {
				continue
			}
			if !slices.ContainsFunc(strings.Fields(home), func(h string) bool { return under(s.dir, h) }) {
				t.Errorf("%s imports %s, whose home is %q: because a library that one package imports can be replaced", s.path, path, home)
			}
		}
	}
}

// TestRequiresAreImported keeps go.mod to what is used.
func TestRequiresAreImported(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil || len(mod.Require) < 10 {
		t.Fatalf("go.mod reads as %+v, %v", mod, err)
	}
	used := map[string]bool{}
	for _, s := range sources(t) {
		for _, path := range imports(s) {
			used[path] = true
		}
	}
	paths := slices.Sorted(maps.Keys(used))
	for _, r := range mod.Require {
		if !r.Indirect && !slices.ContainsFunc(paths, func(p string) bool { return under(p, r.Path) }) {
			t.Errorf("go.mod requires %s, which nothing imports: because each library is a decision, and one not taken is left out", r.Path)
		}
	}
}

// TestOneClock keeps time in one place.
func TestOneClock(t *testing.T) {
	bad := []string{"Now", "After", "NewTimer", "NewTicker", "Since", "Until", "Sleep", "Tick", "AfterFunc"}
	for _, s := range sources(t) {
		if s.dir == "internal/clock" || s.test || under(s.dir, "cmd/kvorum-bench") {
			continue
		}
		name := nameOfTime(t, s)
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == name && pkg.Obj == nil && slices.Contains(bad, sel.Sel.Name) {
				t.Errorf("%s calls time.%s: because only internal/clock tells the time, so that tests own it", fset.Position(n.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}

// nameOfTime is what a file calls the package time.
func nameOfTime(t *testing.T, s source) string {
	for _, i := range s.file.Imports {
		if i.Path.Value == `"time"` && i.Name != nil {
			if i.Name.Name == "." {
				t.Errorf("%s imports time without its name: because then nobody sees what is used of it", s.path)
			}
			return i.Name.Name
		}
	}
	return "time"
}

func TestEveryPackageHasADoc(t *testing.T) {
	docs, dirs := map[string]string{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		dirs[s.dir] = true
		if s.file.Doc != nil && filepath.Base(s.path) == "doc.go" {
			docs[s.dir] = s.file.Doc.Text()
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if !strings.Contains(docs[dir], "Invariant:") && !strings.Contains(docs[dir], "invariant") {
			t.Errorf("%s has no doc.go that names its invariant: because a room without a label fills with things", dir)
		}
	}
}

func TestExportedThingsAreExplained(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					t.Errorf("%s: %s has no comment: because the comment is where the errors and units stand", fset.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				explainSpecs(t, d)
			}
		}
	}
}

func explainSpecs(t *testing.T, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch x := spec.(type) {
		case *ast.TypeSpec:
			if x.Name.IsExported() && d.Doc == nil && x.Doc == nil {
				t.Errorf("%s: type %s has no comment", fset.Position(x.Pos()), x.Name.Name)
			}
		case *ast.ValueSpec:
			if x.Names[0].IsExported() && d.Doc == nil && x.Doc == nil && x.Comment == nil {
				t.Errorf("%s: %s has no comment", fset.Position(x.Pos()), x.Names[0].Name)
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// Ratchets: what is longer than the limit today is listed with its length, may
// not grow, and leaves the list when it shrinks.
const (
	maxFile     = 400
	maxFunction = 70
)

var longFiles = map[string]int{}

var longFunctions = map[string]int{}

func TestLengthsOnlyShrink(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if limit := max(maxFile, longFiles[s.path]); s.lines > limit {
			t.Errorf("%s has %d lines, the limit is %d: because one noun a file reads better than two", s.path, s.lines, limit)
		} else if known := longFiles[s.path]; known > 0 && s.lines < known {
			t.Errorf("%s shrank to %d lines: lower or remove its row", s.path, s.lines)
		}
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			length := fset.Position(d.End()).Line - fset.Position(d.Pos()).Line + 1
			if limit := max(maxFunction, longFunctions[s.path+":"+d.Name.Name]); length > limit {
				t.Errorf("%s: %s has %d lines, the limit is %d: because a function should fit a screen", fset.Position(d.Pos()), d.Name.Name, length, limit)
			}
		}
	}
}

var linked = regexp.MustCompile(`-X ([\w./-]+)\.(\w+)=`)

// TestLinkerSetsWhatIsThere: the linker passes over a variable that it does not
// find.
func TestLinkerSetsWhatIsThere(t *testing.T) {
	b, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	flags := linked.FindAllStringSubmatch(string(b), -1)
	if len(flags) < 2 {
		t.Fatalf("found only %d flags: the pattern is wrong", len(flags))
	}
	for _, f := range flags {
		dir := strings.TrimPrefix(f[1], module+"/")
		if dir == "main" {
			dir = "cmd/kvorum"
		}
		if !slices.ContainsFunc(sources(t), func(s source) bool { return s.dir == dir && !s.test && declares(s, f[2]) }) {
			t.Errorf("the Makefile sets %s.%s, which is no variable", f[1], f[2])
		}
	}
}

// declares tells whether a file has a variable of the package.
func declares(s source, name string) bool {
	for _, decl := range s.file.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && slices.ContainsFunc(v.Names, func(n *ast.Ident) bool { return n.Name == name }) {
				return true
			}
		}
	}
	return false
}

var todo = regexp.MustCompile(`(?m)^\s*(?:TODO|FIXME|XXX|HACK)\b`)

func TestNoUnfinishedWords(t *testing.T) {
	for _, s := range sources(t) {
		if s.path == "tidy_test.go" {
			continue
		}
		for _, group := range s.file.Comments {
			if todo.MatchString(group.Text()) && !strings.Contains(group.Text(), "because") {
				t.Errorf("%s: a TODO without its because: what is unfinished says why, or is finished", fset.Position(group.Pos()))
			}
		}
	}
}

func TestEveryCommandFileHasItsParts(t *testing.T) {
	registry, err := os.ReadFile("fsm/command/registry.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`"([a-z_]+\.[a-z_]+|expire)/(\d+)":`).FindAllStringSubmatch(string(registry), -1)
	if len(kinds) < 20 {
		t.Fatalf("found only %d kinds in the registry: the pattern is wrong", len(kinds))
	}
	for _, k := range kinds {
		name := "fsm/command/" + strings.ReplaceAll(k[1], ".", "_") + ".go"
		b, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("%s/%s has no file %s: because a kind is found by its name", k[1], k[2], name)
			continue
		}
		for _, part := range []string{"// Rules", "func example", "func work"} {
			if !strings.Contains(string(b), part) {
				t.Errorf("%s lacks %q: because the simulator and the reader need it", name, part)
			}
		}
	}
}
