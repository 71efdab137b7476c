package cluster

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLinear(t *testing.T) {
	for name, c := range map[string]struct {
		ops  []string
		want []string
	}{
		"nothing": {},
		"one after the other": {ops: []string{
			"read x new-x 0-1 ok", "write x w1 2-3 ok", "read x w1 4-5 ok", "write x w2 6-7 ok", "read x w2 8-9 ok"}},
		"at one time, in either order": {ops: []string{
			"write x w1 0-10 ok", "read x new-x 1-2 ok", "read x w1 3-4 ok", "read x w1 11-12 ok"}},
		"two that touch are at one time": {ops: []string{"write x w1 0-10 ok", "read x new-x 10-12 ok"}},
		"registers know nothing of each other": {ops: []string{
			"write x w1 0-1 ok", "read y new-y 2-3 ok", "write y w2 4-5 ok", "read x w1 6-7 ok"}},
		"an unknown write may be done much later": {ops: []string{
			"write x w1 0-1 info", "read x new-x 2-3 ok", "read x w1 9-10 ok"}},
		"an unknown write may never be done": {ops: []string{
			"write x w1 0-1 info", "read x new-x 2-3 ok", "write x w2 4-5 ok", "read x w2 6-7 ok"}},
		"a read that got no answer says nothing": {ops: []string{
			"write x w1 0-1 ok", "read x - 2-3 info", "read x - 4-5 fail"}},
		"indexes count for nothing": {ops: []string{"write x w1 0-1 ok @9", "read x w1 2-3 ok @1"}},
		"a stale read": {ops: []string{"write x w1 0-1 ok", "read x new-x 2-3 ok"},
			want: []string{"register x is not linearizable: read new-x (#2) fits nowhere after the first 1 of 2 operations, which end with write w1 (#1)"}},
		"a lost write":                 {ops: []string{"write x w1 0-1 ok", "write x w2 2-3 ok", "read x w1 4-5 ok"}, want: []string{"read w1 (#3)"}},
		"a failed write that was done": {ops: []string{"write x w1 0-1 fail", "read x w1 2-3 ok"}, want: []string{"read w1 (#2) fits nowhere"}},
		"a value of nowhere":           {ops: []string{"read x w7 0-1 ok"}, want: []string{"register x"}},
		"two readers see two orders": {ops: []string{
			"write x w1 0-10 ok", "write x w2 0-10 ok", "read x w1 11-12 ok", "read x w2 13-14 ok"}, want: []string{"register x"}},
		"an unknown write is done once": {ops: []string{
			"write x w1 0-1 info", "read x w1 2-3 ok", "write x w2 4-5 ok", "read x w2 6-7 ok", "read x w1 8-9 ok"}, want: []string{"read w1 (#5)"}},
		"the future": {ops: []string{"read x w1 0-1 ok", "write x w1 2-3 ok"}, want: []string{"read w1 (#1)"}},
		"each register by itself": {ops: []string{
			"write x w1 0-1 ok", "read x new-x 2-3 ok", "write y w2 0-1 ok", "read y new-y 2-3 ok"}, want: []string{"register x", "register y"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			found := Linear{Limit: time.Minute}.Check(Evidence{Ops: story(t, c.ops...), Dir: dir})
			verdicts(t, found, c.want...)
			for _, f := range found {
				if page, err := os.ReadFile(filepath.Join(dir, f.File)); err != nil || !strings.Contains(string(page), "<html") {
					t.Errorf("no picture of %s: %v", f.Text, err)
				}
			}
		})
	}
}

// TestLinearGivesUp: what is not decided in time is not taken for good.
func TestLinearGivesUp(t *testing.T) {
	var ops []Op
	for i := range 40 { // all at one time, and none of them read: too many orders
		ops = append(ops, Op{Number: i + 1, Client: i, Action: Write, Key: "x", Values: []string{string(rune('a' + i))}, Call: 0, Return: 100, Outcome: OK})
	}
	ops = append(ops, Op{Number: 41, Action: Read, Key: "x", Values: []string{"z?"}, Call: 101, Return: 102, Outcome: OK})
	found := Linear{Limit: time.Millisecond}.Check(Evidence{Ops: ops, Dir: t.TempDir()})
	if verdicts(t, found, "no verdict on 41 operations within 1ms"); !found[0].Undecided {
		t.Error("what nobody knows is no violation")
	}
}

// TestManyReadsAtOnce: of reads of one value, those count that say the most; who
// waited longer and saw the same says nothing more. A stale one is seen all the
// same.
func TestManyReadsAtOnce(t *testing.T) {
	lines := []string{"write x w1 0-1 ok", "write x w2 2-3 ok"}
	for range 300 {
		lines = append(lines, "read x w2 4-20 ok")
	}
	lines = append(lines, "read x w2 5-6 ok", "read x w1 4-5 ok")
	ops := story(t, lines...)
	if n := len(registerOps(ops, "x")); n != 4 {
		t.Errorf("%d operations count", n)
	}
	verdicts(t, Linear{Limit: time.Minute}.Check(Evidence{Ops: ops, Dir: t.TempDir()}), "read w1 (#304)")
	lines[len(lines)-1] = "read x w2 4-5 ok"
	verdicts(t, Linear{Limit: time.Minute}.Check(Evidence{Ops: story(t, lines...), Dir: t.TempDir()}))
}

func TestRegisterOps(t *testing.T) {
	ops := story(t, "write x w1 0-1 ok", "write x w2 2-3 info", "write x w3 4-5 fail", "write x w4 6-7 info", "read x w1 8-9 ok", "read x - 8-9 info", "read x - 8-9 fail",
		"write y w5 0-1 ok", "scan - x=w1 0-1 ok", "add x - 0-1 ok")
	got := registerOps(ops, "x")
	var numbers []int
	clients := map[int]bool{}
	for _, op := range got {
		n := op.Metadata.(int)
		numbers = append(numbers, n)
		clients[op.ClientId] = true
		if unknown := n == 2 || n == 4; unknown != (op.Return == math.MaxInt64) {
			t.Errorf("#%d returns at %d", n, op.Return)
		}
	}
	if want := []int{1, 2, 4, 5}; !slices.Equal(numbers, want) {
		t.Errorf("operations %v, want %v", numbers, want)
	}
	if len(clients) != 4 {
		t.Errorf("%d clients: a client goes on after a write of which it knows nothing", len(clients))
	}
	if got := registers(ops); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("registers %v", got)
	}
}
