package kvorum

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// room is code that decides: equal input gives equal output, on every node and
// for ever.
type room struct {
	dir string
	// only names the files that decide; none means all of them.
	only []string
	// acts are files of the room that do not decide, with the reason.
	acts map[string]string
	// more are imports that this room may have beyond pureImports.
	more []string
}

var rooms = []room{
	{dir: "fsm"},
	{dir: "fsm/command", more: []string{"net"}},
	{dir: "fsm/state", more: []string{"github.com/tidwall/btree", "sync", "sync/atomic"}},
	{dir: "placement"},
	{dir: "internal/model"},
	{dir: "internal/assign"},
	{dir: "netd", more: []string{"net"}, acts: map[string]string{"converge.go": "it drives a Kernel"}},
	{dir: "metadata", acts: map[string]string{"handler.go": "the thin part that speaks HTTP"}},
	{dir: "hostagent", only: []string{"next.go", "rules.go", "outcome.go", "record.go", "plan.go"}, more: []string{"context", "time"}},
	{dir: "hostagent/netsvc", only: []string{"translate.go", "fromconfig.go"}, more: []string{"net/http", "time"}},
	{dir: "leader", only: []string{"place.go"}},
	{dir: "jepsen/faultnet", only: []string{"rule.go", "chance.go", "packet.go", "hello.go", "stage.go"}, more: []string{"time"}},
}

// pureImports compute and no more: none of them knows the time, chance, the
// machine or the network.
var pureImports = []string{
	"bufio", "bytes", "cmp", "crypto/sha256", "encoding/base64", "encoding/binary", "encoding/hex", "encoding/json", "errors",
	"fmt", "hash/fnv", "io", "iter", "maps", "math/bits", "net/netip", "path", "reflect", "regexp", "slices", "sort", "strconv", "strings",
	"unicode", "unicode/utf8",
}

// pureRooms of our own are those that decide, and the words that they speak.
// internal/canon is among them as encoding/json is among pureImports: it keeps
// plans and strings from one call to the next, but its tests hold every outcome
// against encoding/json's.
var pureRooms = []string{"fsm", "placement", "netd", "internal/model", "internal/assign", "internal/errs", "internal/canon"}

// only names what may be used of packages that can do more than compute.
var only = map[string][]string{
	"context":     {"Context", "Canceled", "DeadlineExceeded"},
	"io":          {"Reader", "Writer", "EOF"},
	"net":         {"ParseMAC", "HardwareAddr", "SplitHostPort"},
	"net/http":    {"Handler"},
	"sync":        {"Mutex", "RWMutex"},
	"sync/atomic": {"Pointer", "Bool"},
	"time":        {"Time", "Duration", "Unix", "Nanosecond", "Millisecond", "Second", "Minute", "Hour"},
}

// never are functions and methods that show what differs from run to run.
var never = []string{"reflect.MapKeys", "reflect.MapRange", "reflect.Seq", "reflect.Seq2", "reflect.Pointer", "reflect.UnsafePointer",
	"reflect.UnsafeAddr", "reflect.Recv", "reflect.TryRecv", "reflect.Select"}

// anyOrder marks a range over a map whose order cannot show, with the reason:
// on the line itself or the one above.
const anyOrder = "// any order: "

// complaint is one breach of a law, and where.
type complaint struct {
	pos token.Pos
	say string
}

// judge looks at one file of a room, type-checked.
type judge struct {
	info   *types.Info
	more   []string
	marked map[int]bool
	sorted map[ast.Node]bool
	found  []complaint
}

func (j *judge) bad(at ast.Node, format string, args ...any) {
	j.found = append(j.found, complaint{at.Pos(), fmt.Sprintf(format, args...)})
}

// laws gives all that is wrong with a file.
func laws(fset *token.FileSet, f *ast.File, info *types.Info, more []string) []complaint {
	j := &judge{info: info, more: more, marked: map[int]bool{}, sorted: map[ast.Node]bool{}}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if reason, ok := strings.CutPrefix(c.Text, anyOrder); ok && len(strings.Fields(reason)) > 1 {
				line := fset.Position(c.Pos()).Line
				j.marked[line], j.marked[line+1] = true, true
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil {
			return true
		}
		j.effects(n)
		j.order(n, fset.Position(n.Pos()).Line)
		j.numbers(n)
		return true
	})
	return j.found
}

// effects refuses whatever does more than compute.
func (j *judge) effects(n ast.Node) {
	switch x := n.(type) {
	case *ast.ImportSpec:
		path, _ := strconv.Unquote(x.Path.Value)
		ours, own := strings.CutPrefix(path, module+"/")
		known := slices.Contains(pureImports, path) || slices.Contains(j.more, path) ||
			own && slices.ContainsFunc(pureRooms, func(r string) bool { return under(ours, r) })
		if !known {
			j.bad(n, "imports %s: because what it gives may differ from node to node", path)
		}
		if x.Name != nil && x.Name.Name == "." {
			j.bad(n, "imports %s without its name: because then nobody sees what is used of it", path)
		}
	case *ast.SelectorExpr:
		obj := j.info.Uses[x.Sel]
		if obj == nil || obj.Pkg() == nil {
			return
		}
		if name := obj.Pkg().Path() + "." + obj.Name(); slices.Contains(never, name) {
			j.bad(n, "uses %s: because what it shows differs from run to run", name)
		}
		if obj.Parent() != obj.Pkg().Scope() {
			return // a method or a field
		}
		if names, ok := only[obj.Pkg().Path()]; ok && !slices.Contains(names, obj.Name()) {
			j.bad(n, "uses %s.%s: because only %v of that package compute and no more", obj.Pkg().Path(), obj.Name(), names)
		}
	case *ast.GoStmt:
		j.bad(n, "starts a goroutine: because two runs may take turns differently")
	case *ast.SelectStmt:
		j.bad(n, "selects: because which of two ready cases is taken is chance")
	}
}

// order refuses whatever shows the order of a map.
func (j *judge) order(n ast.Node, line int) {
	switch x := n.(type) {
	case *ast.RangeStmt:
		if isMap(j.info.TypeOf(x.X)) && !j.marked[line] {
			j.bad(n, "ranges over a map: because its order differs from node to node; use slices.Sorted(maps.Keys(m)), "+
				"or say why no order shows: %q and a reason", anyOrder)
		}
	case *ast.CallExpr:
		switch j.called(x) {
		case "slices.Sorted", "slices.SortedFunc", "maps.Collect":
			for _, arg := range x.Args {
				j.sorted[arg] = true
			}
		case "maps.Keys", "maps.Values", "maps.All":
			if !j.sorted[x] && !j.marked[line] {
				j.bad(n, "takes a map's elements unsorted: because their order differs from node to node; wrap it in slices.Sorted")
			}
		}
	}
}

// called names the function of a call as package.Function, if it is one.
func (j *judge) called(c *ast.CallExpr) string {
	fun := ast.Unparen(c.Fun)
	if x, ok := fun.(*ast.IndexExpr); ok {
		fun = x.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	obj := j.info.Uses[sel.Sel]
	if obj == nil || obj.Pkg() == nil {
		return ""
	}
	return obj.Pkg().Path() + "." + obj.Name()
}

// numbers refuses floating point.
func (j *judge) numbers(n ast.Node) {
	x, ok := n.(ast.Expr)
	if !ok {
		return
	}
	if t := j.info.TypeOf(x); t != nil {
		if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&(types.IsFloat|types.IsComplex) != 0 {
			j.bad(n, "computes with %v: because processors and compilers round differently; use integers", t)
		}
	}
}

// isMap tells whether a range over t may be one over a map.
func isMap(t types.Type) bool {
	if t == nil {
		return true // not known: better safe
	}
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		return mapAmong(p.Constraint())
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

func mapAmong(constraint types.Type) bool {
	i, ok := constraint.Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for e := range i.EmbeddedTypes() {
		switch t := e.(type) {
		case *types.Union:
			for term := range t.Terms() {
				if isMap(term.Type()) {
					return true
				}
			}
		default:
			if isMap(t) || mapAmong(t) {
				return true
			}
		}
	}
	return false
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

func list(t *testing.T, args ...string) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Export,GoFiles"}, args...)...)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errOut.Bytes())
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// library type-checks packages: ours from their source, so that nothing of the
// project need be compiled first, and others by what the build cache says that
// they export.
type library struct {
	t      *testing.T
	fset   *token.FileSet
	ours   map[string]listed
	others types.Importer
	done   map[string]*checked
}

type checked struct {
	pkg   *types.Package
	files []*ast.File
	info  *types.Info
}

func newLibrary(t *testing.T, patterns ...string) *library {
	t.Helper()
	l := &library{t: t, fset: token.NewFileSet(), ours: map[string]listed{}, done: map[string]*checked{}}
	var foreign []string
	for _, p := range list(t, append([]string{"-deps"}, patterns...)...) {
		if under(p.ImportPath, module) {
			l.ours[p.ImportPath] = p
		} else if p.ImportPath != "unsafe" {
			foreign = append(foreign, p.ImportPath)
		}
	}
	exports := map[string]string{}
	for _, p := range list(t, append([]string{"-export"}, foreign...)...) {
		exports[p.ImportPath] = p.Export
	}
	l.others = importer.ForCompiler(l.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return l
}

// Import implements types.Importer.
func (l *library) Import(path string) (*types.Package, error) {
	if _, ok := l.ours[path]; !ok {
		return l.others.Import(path)
	}
	return l.of(path).pkg, nil
}

// of gives one of our packages, checked.
func (l *library) of(path string) *checked {
	l.t.Helper()
	if l.done[path] == nil {
		var files []*ast.File
		for _, name := range l.ours[path].GoFiles {
			f, err := parser.ParseFile(l.fset, filepath.Join(l.ours[path].Dir, name), nil, parser.ParseComments)
			if err != nil {
				l.t.Fatal(err)
			}
			files = append(files, f)
		}
		l.done[path] = l.check(path, files)
	}
	return l.done[path]
}

func (l *library) check(path string, files []*ast.File) *checked {
	l.t.Helper()
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	pkg, err := (&types.Config{Importer: l}).Check(path, l.fset, files, info)
	if err != nil {
		l.t.Fatalf("%s: %v", path, err)
	}
	return &checked{pkg, files, info}
}

// TestWhatDecidesIsPure keeps clocks, chance, the machine, the order of maps,
// rounding and the scheduler out of the code whose answer must be the same
// everywhere.
func TestWhatDecidesIsPure(t *testing.T) {
	var patterns []string
	for _, r := range rooms {
		patterns = append(patterns, "./"+r.dir)
	}
	lib := newLibrary(t, patterns...)
	judged := 0
	for _, r := range rooms {
		p, ok := lib.ours[module+"/"+r.dir]
		if !ok {
			t.Fatalf("%s is no package", r.dir)
		}
		for _, name := range r.only {
			if !slices.Contains(p.GoFiles, name) {
				t.Errorf("%s has no %s: because a law about a file that is gone guards nothing", r.dir, name)
			}
		}
		c := lib.of(p.ImportPath)
		for i, name := range p.GoFiles {
			if len(r.only) > 0 && !slices.Contains(r.only, name) || r.acts[name] != "" {
				continue
			}
			judged++
			for _, bad := range laws(lib.fset, c.files[i], c.info, r.more) {
				t.Errorf("%s/%s:%d %s", r.dir, name, lib.fset.Position(bad.pos).Line, bad.say)
			}
		}
	}
	if judged < 100 {
		t.Errorf("looked at only %d files: the rooms are wrong", judged)
	}
}

// TestThePureLawsSee shows that each law finds what it is for.
func TestThePureLawsSee(t *testing.T) {
	lib := newLibrary(t, "maps", "slices", "time", "net", "sync", "math/rand/v2", "os", "reflect")
	for _, row := range []struct{ name, src, want string }{
		{"range", `func f(m map[string]int) (s []string) { for k := range m { s = append(s, k) }; return }`, "ranges over a map"},
		{"named map", `type set map[int]bool; func f(m set) { for range m { println() } }`, "ranges over a map"},
		{"generic map", `func f[M ~map[K]V, K comparable, V any](m M) { for range m { println() } }`, "ranges over a map"},
		{"collected keys", `import ("maps"; "slices"); func f(m map[int]int) []int { return slices.Collect(maps.Keys(m)) }`, "unsorted"},
		{"ranged values", `import "maps"; func f(m map[int]int) { for v := range maps.Values(m) { println(v) } }`, "unsorted"},
		{"kept keys", `import ("maps"; "slices"); func f(m map[int]int) []int { k := maps.Keys(m); return slices.Sorted(k) }`, "unsorted"},
		{"marker without reason", "func f(m map[int]int) {\n // any order: sure\n for range m { println() } }", "ranges over a map"},
		{"clock", `import "time"; func f() int64 { return time.Now().Unix() }`, "time.Now"},
		{"clock by another name", `import t "time"; func f() { t.Sleep(1) }`, "time.Sleep"},
		{"clock as a value", `import "time"; var now = time.Now`, "time.Now"},
		{"chance", `import "math/rand/v2"; var n = rand.Int()`, "imports math/rand/v2"},
		{"machine", `import "os"; var n, _ = os.Hostname()`, "imports os"},
		{"network", `import "net"; var n, _ = net.LookupHost("x")`, "net.LookupHost"},
		{"hidden name", `import . "time"; var d = Second`, "without its name"},
		{"goroutine", `func f() { go println() }`, "goroutine"},
		{"select", `func f(a, b chan int) { select { case <-a: case <-b: } }`, "selects"},
		{"pool", `import "sync"; var p sync.Pool`, "sync.Pool"},
		{"reflected map", `import "reflect"; func f(v reflect.Value) int { return len(v.MapKeys()) }`, "reflect.MapKeys"},
		{"float", `func f(a, b int) bool { return float64(a)/float64(b) > 1 }`, "float64"},
		{"float constant", `func f(a int) bool { return a > 3*0.5*2 }`, "float"},
		{"sorted keys", `import ("maps"; "slices"); func f(m map[int]int) []int { return slices.Sorted(maps.Keys(m)) }`, ""},
		{"copied map", `import "maps"; func f(m map[int]int) map[int]int { return maps.Collect(maps.All(m)) }`, ""},
		{"marked", "func f(m map[int]int) (n int) {\n // any order: a sum is the same whichever comes first\n for _, v := range m { n += v }\n return }", ""},
		{"slice", `func f(s []int) { for range s { println() } }`, ""},
		{"duration", `import "time"; const d = 2 * time.Second`, ""},
		{"parser", `import "net"; var m, _ = net.ParseMAC("")`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, err := parser.ParseFile(lib.fset, row.name+".go", "package p; "+row.src, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			c := lib.check("p", []*ast.File{f})
			found := laws(lib.fset, f, c.info, []string{"net", "sync", "time"})
			hit := slices.ContainsFunc(found, func(c complaint) bool { return strings.Contains(c.say, row.want) })
			if row.want == "" && len(found) > 0 || row.want != "" && !hit {
				t.Errorf("found %v, want %q", found, row.want)
			}
		})
	}
}
