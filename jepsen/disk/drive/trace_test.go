package drive

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// TestTrace shows what happened, in order, and nothing else.
func TestTrace(t *testing.T) {
	t.Parallel()
	var file string
	b := startDisk(t, func(o *disk.Options) {
		o.TraceFile, o.Mark = o.Mount+".trace", `id-\d+`
		file = o.TraceFile
	})
	before := clock.SinceBoot()
	f := b.open("f")
	b.put(f, "one id-1 two id-2", 100)
	b.put(f, "again id-1 id-3", 0)
	b.ok(f.Sync())
	b.ok(f.Truncate(7))
	b.ok(os.Rename(b.path("f"), b.path("g")))
	id := b.begin(disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Sync}, Path: "g"})
	if f.Sync() == nil {
		t.Error("the sync succeeded")
	}
	b.end(id, 1)
	b.ok(f.Close())
	b.syncDir(".")
	b.lose(disk.Loss{})
	tr, err := b.Trace(b.ctx, 1, 0)
	b.ok(err)
	var got []string
	last := before
	for _, e := range tr.Events {
		if e.At < last || e.Took < 0 {
			t.Errorf("%+v comes after %v", e, last)
		}
		last = e.At
		got = append(got, strings.TrimSpace(strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %d+%d %s %s", e.Op, e.Path, e.To, e.Off, e.Len, e.Result, strings.Join(e.Marks, ","))), " ")))
	}
	want := []string{
		"create f 0+0", "write f 100+17 id-1,id-2", "write f 0+15 id-3", "sync f 0+32", "truncate f 7+0", "rename f g 0+0",
		"sync g 0+0 EIO", "sync 0+0", "cut 0+0", "loss 0+110", "mount 0+0",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for n, e := range traceLines(t, file)[1:] {
		if e.Seq != uint64(n+1) || e.Op != tr.Events[n].Op || e.At != tr.Events[n].At {
			t.Errorf("line %d is %+v, event %+v", n, e, tr.Events[n])
		}
	}
	for mark, want := range map[string]bool{"id-1": true, "id-3": true, "id-4": false} {
		if at, ok := disk.Synced(tr.Events, mark, 1); ok != want || ok && (at < before || at > last) {
			t.Errorf("%s was safe at %v, %v", mark, at, ok)
		}
		if at, ok := disk.Synced(tr.Events, mark, 2); ok {
			t.Errorf("%s was synced twice at %v", mark, at)
		}
	}
}

func traceLines(t *testing.T, file string) (all []disk.Event) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e disk.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

func TestTraceIsBounded(t *testing.T) {
	tr, err := newTrace(8, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		tr.add(disk.Event{})
	}
	p := tr.part(3, 5)
	if p.Missed != 9 || len(p.Events) != 5 || p.Events[0].Seq != 12 || p.Next != 17 {
		t.Errorf("part %+v", p)
	}
	if p = tr.part(p.Next, 0); len(p.Events) != 3 || p.Next != 20 || p.Missed != 0 {
		t.Errorf("the rest %+v", p)
	}
	if p = tr.part(^uint64(0), 1); p.Next != ^uint64(0) || len(p.Events) != 0 {
		t.Errorf("from the end %+v", p)
	}
}

// TestMarksAreForgotten: the known marks are bounded, and a mark that was found
// long ago is found again.
func TestMarksAreForgotten(t *testing.T) {
	m, err := newMarks(`\d+`)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.find(1, []byte("7 8 7")); len(got) != 2 {
		t.Errorf("found %v", got)
	}
	if got := m.find(2, []byte("7")); len(got) != 1 {
		t.Errorf("another file: found %v", got)
	}
	for n := range 2*maxKnown + 10 {
		m.find(1, fmt.Append(nil, 1000+n))
	}
	if len(m.young)+len(m.old) > 2*maxKnown {
		t.Errorf("%d are known", len(m.young)+len(m.old))
	}
	if got := m.find(1, []byte("7")); len(got) != 1 {
		t.Errorf("long ago: found %v", got)
	}
	many := strings.Repeat("1 2 3 4 5 6 7 8 9 ", 1000)
	if got := m.find(3, []byte(many)); len(got) != 9 {
		t.Errorf("many: found %v", got)
	}
}
