package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// linesOf reads a file of JSON, a value a line.
func linesOf[T any](t *testing.T, path string) (out []T) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// TestHistoryIsKeptWhole: what was noted can be read again, with all of it.
func TestHistoryIsKeptWhole(t *testing.T) {
	fake := clock.NewFake(time.Unix(100, 0))
	fake.Advance(time.Hour)
	h := NewHistory(fake)
	fake.Advance(3 * time.Second)
	if h.Now() != 3e9 {
		t.Errorf("now is %d", h.Now())
	}
	h.Add(Op{Client: 3, Node: "c2", Action: Write, Key: "x", Values: []string{"w1"}, Call: 1, Return: 2, Outcome: Info, Index: 7, Request: "r1", Status: 503, Error: "who knows"})
	h.Add(Op{Client: 4, Node: "c1", Action: Read, Key: "x", Call: 1, Return: 2, Outcome: OK})
	h.Tell(Event{Name: "kill", On: []string{"c1"}, Begins: true})
	h.Tell(Event{At: 5, On: []string{"c1"}, Role: "leader", Term: 4})
	dir := t.TempDir()
	ops, events := filepath.Join(dir, "ops"), filepath.Join(dir, "events")
	if err := h.Save(ops, events); err != nil {
		t.Fatal(err)
	}
	if got := linesOf[Op](t, ops); !reflect.DeepEqual(got, h.Ops()) || got[0].Number != 1 || got[1].Number != 2 {
		t.Errorf("%+v", got)
	}
	if got := linesOf[Event](t, events); !reflect.DeepEqual(got, h.Events()) || got[0].At != 3e9 || got[1].At != 5 {
		t.Errorf("%+v", got)
	}
	if err := h.Save(filepath.Join(dir, "nowhere", "ops"), events); err == nil {
		t.Error("saved nowhere, and nobody complained")
	}
}

// TestKeep: files are kept, and what is none does no harm.
func TestKeep(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "a", "b")
	if err := os.MkdirAll(filepath.Join(from, "raft", "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "raft", "deep", "log.db"), []byte("log"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(from, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := keep(from, to); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(to, "raft", "deep", "log.db")); err != nil || string(b) != "log" {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(to, "socket")); !os.IsNotExist(err) {
		t.Errorf("the socket: %v", err)
	}
	if err := keep(filepath.Join(from, "nowhere"), to); err == nil {
		t.Error("there is nothing to keep, and nobody complained")
	}
}

// steps is a workload that only counts.
type steps struct{ n atomic.Int64 }

func (*steps) Setup(context.Context, *Env, *API) error { return nil }
func (*steps) Settle(context.Context, *Client) error   { return nil }

func (w *steps) Step(ctx context.Context, c *Client) {
	w.n.Add(1)
	c.do(c.pick(), Op{Action: Read, Key: "x"}, func() (Answer, error) { return Answer{Status: 200}, ctx.Err() }, func(op *Op) { op.Values = []string{"v"} })
}

// TestUsers: clients work until the run is over, each at its own node or at
// another one as often as it is told, and what they began they end.
func TestUsers(t *testing.T) {
	for name, c := range map[string]struct{ hops, least, most int }{"at home": {0, 100, 100}, "anywhere": {100, 10, 60}} {
		t.Run(name, func(t *testing.T) {
			e := stage()
			apis := []*API{{Node: "c1"}, {Node: "c2"}, {Node: "c3"}}
			var clients []*Client
			for i := range 3 {
				clients = append(clients, &Client{Env: e, Number: i, Rand: rand.New(rand.NewPCG(1, uint64(i))), apis: apis, home: i, hops: c.hops})
			}
			ctx, cancel := context.WithCancel(t.Context())
			w := new(steps)
			users(ctx, w, clients, func(context.Context) {
				if w.n.Load() >= 300 {
					cancel()
				}
			}).Wait()
			home := 0
			ops := e.History.Ops()
			for _, op := range ops {
				if op.Outcome != OK || len(op.Values) != 1 || op.Call > op.Return {
					t.Fatalf("%+v", op)
				}
				if op.Node == apis[op.Client].Node {
					home++
				}
			}
			if len(ops) < 300 || len(ops) != int(w.n.Load()) {
				t.Errorf("%d operations of %d", len(ops), w.n.Load())
			}
			if percent := 100 * home / len(ops); percent < c.least || percent > c.most {
				t.Errorf("%d %% at home", percent)
			}
		})
	}
}
