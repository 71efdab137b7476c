package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxDrawn is how many operations a page can hold and still be one.
const maxDrawn = 5000

// near is how far around a named operation all others are drawn, in
// nanoseconds.
const near = int64(2e9)

// choice is which operations are drawn.
type choice struct {
	Ops []Op // by call
	// Left says what is not drawn; empty if nothing.
	Left  string
	named map[int]bool
}

// choose takes the operations that findings name, then those around them, the
// nearest first, and evenly of the rest as far as there is room.
func choose(all []Op, named map[int]bool, limit int) choice {
	ops := inOrder(all)
	ways := distances(ops, named)
	order := make([]int, len(ops))
	nearby := 0
	for i, way := range ways {
		order[i] = i
		if way <= near {
			nearby++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(min(ways[a], near+1), min(ways[b], near+1)) })
	taken, rest := order[:min(nearby, limit)], order[nearby:]
	room := min(limit-len(taken), len(rest))
	taken = slices.Clone(taken)
	for i := range room {
		taken = append(taken, rest[i*len(rest)/room])
	}
	slices.Sort(taken)
	c := choice{named: named, Left: leftOut(len(named), min(nearby, limit), nearby, room, len(rest))}
	for _, i := range taken {
		c.Ops = append(c.Ops, ops[i])
	}
	return c
}

func leftOut(named, drawn, nearby, sample, rest int) string {
	if drawn == nearby && sample == rest {
		return ""
	}
	var parts []string
	switch {
	case drawn < nearby:
		parts = append(parts, fmt.Sprintf("the %d nearest of the %d within %d s of those that findings name", drawn, nearby, near/1e9))
	case named > 0:
		parts = append(parts, fmt.Sprintf("all %d within %d s of those that findings name", drawn, near/1e9))
	}
	others := "other "
	if nearby == 0 {
		others = ""
	}
	parts = append(parts, fmt.Sprintf("%d of the %s%d, evenly", sample, others, rest))
	return fmt.Sprintf("%d of %d operations are drawn: %s. All of them are in history.jsonl.", drawn+sample, nearby+rest, strings.Join(parts, ", and "))
}

// distances tells how far each operation is from the nearest named one; that
// one itself is at -1. ops are by call.
func distances(ops []Op, named map[int]bool) []int64 {
	var points []int64 // along the named ones
	for _, op := range ops {
		if named[op.Number] {
			for at := op.Call; at < op.Return; at += near / 2 {
				points = append(points, at)
			}
			points = append(points, op.Return)
		}
	}
	slices.Sort(points)
	out := make([]int64, len(ops))
	for i, op := range ops {
		out[i] = 2 * near
		next, _ := slices.BinarySearch(points, op.Call)
		if next < len(points) {
			out[i] = max(0, points[next]-op.Return)
		}
		if next > 0 {
			out[i] = min(out[i], op.Call-points[next-1])
		}
		if named[op.Number] {
			out[i] = -1
		}
	}
	return out
}

// clientLanes puts what is drawn into a lane for each client.
func clientLanes(c choice) (out []lane) {
	of := map[int][]bar{}
	for _, op := range c.Ops {
		of[op.Client] = append(of[op.Client], opBar(op, c.named[op.Number]))
	}
	for _, client := range slices.Sorted(maps.Keys(of)) {
		out = append(out, lane{Name: fmt.Sprintf("client %d", client), Thin: client >= overtaker, Bars: of[client]})
	}
	return out
}

// opBar draws an operation.
func opBar(op Op, named bool) bar {
	b := bar{From: seconds(op.Call), To: seconds(op.Return), Number: op.Number, Key: op.Key, Class: string(op.Outcome)}
	if op.Action.mutates() || op.Action == Issue {
		b.Class += " change"
	}
	room := 400
	if named {
		b.Class += " named"
		room = 16 << 10
	}
	b.Text = fmt.Sprintf("%s %s %s", op.Action, valuesOf(op, 20), op.Node)
	lines := []string{
		fmt.Sprintf("#%d  client %d at %s: %s", op.Number, op.Client, op.Node, op.Outcome),
		fmt.Sprintf("%s %s", op.Action, op.Key),
		fmt.Sprintf("%.6f s to %.6f s: %.3f ms", b.From, b.To, 1000*(b.To-b.From)),
	}
	switch len(op.Values) {
	case 0:
	case 1:
		lines = append(lines, "value: "+valuesOf(op, room))
	default:
		lines = append(lines, fmt.Sprintf("%d values: %s", len(op.Values), valuesOf(op, room)))
	}
	if op.Status != 0 {
		lines = append(lines, fmt.Sprintf("HTTP %d, index %d, request %s", op.Status, op.Index, op.Request))
	}
	if op.Error != "" {
		lines = append(lines, cut(op.Error, 1000))
	}
	b.Detail = strings.Join(lines, "\n")
	return b
}

// valuesOf are an operation's values as far as there is room.
func valuesOf(op Op, room int) string { return cut(strings.Join(op.Values, " "), room) }

// cut shortens a text to at most so many bytes and a mark.
func cut(text string, room int) string {
	if len(text) <= room {
		return text
	}
	return strings.ToValidUTF8(text[:room], "") + " ..."
}
