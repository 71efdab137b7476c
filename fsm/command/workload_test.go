package command

import (
	"fmt"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

// TestWorkload drives every kind at random and expects that nothing panics,
// that a refusal leaves no trace and that everything adds up after each entry.
func TestWorkload(t *testing.T) {
	kinds := Kinds()
	draw := drawn()
	done, tried := map[string]int{}, map[string]int{}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRig(t, seed)
			for range 3000 {
				name := draw[r.Intn(len(draw))]
				c, by, ok := Work(name, r)
				if !ok {
					continue
				}
				tried[name]++
				r.stamp.At += int64(r.Intn(2)*r.Intn(1800)) * 1e9
				before := r.View().Hash()
				_, err := r.apply(by, c)
				switch {
				case err == nil:
					done[name]++
				case errs.Is(err, errs.Internal):
					t.Fatalf("entry %d: %s: %v", r.stamp.Index, name, err)
				case r.View().Hash() != before:
					t.Fatalf("entry %d: %s was refused (%v) and yet changed the state", r.stamp.Index, name, err)
				}
				if err := audit(r.View()); err != nil {
					t.Fatalf("entry %d: after %s: %v", r.stamp.Index, name, err)
				}
			}
		})
	}
	for _, name := range kinds {
		t.Logf("%-20s accepted %4d of %4d", name, done[name], tried[name])
		// The second cluster.init is always refused.
		if done[name] == 0 && name != "cluster.init/1" {
			t.Errorf("%s was never accepted in %d tries: its workload is worth nothing", name, tried[name])
		}
	}
}

// drawn is what workloads are drawn from: every kind, and more often those of
// a server, whose way has many steps, and of joining, which must be in time.
func drawn() []string {
	list := Kinds()
	for range 4 {
		list = append(list, "server.create/1", "servers.place/1", "host.report/1", "host.report/1", "server.power/1",
			"join_token.create/1", "node.join/1")
	}
	return list
}
