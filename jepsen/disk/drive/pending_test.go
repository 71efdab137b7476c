package drive

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// image is a file in memory, as pending sees one.
type image struct {
	durable, now []byte
	p            pending
}

func (f *image) remember(s span) {
	f.p.begin(int64(len(f.now)))
	for _, g := range f.p.gaps(s) {
		var old []byte
		if end := min(g.end, f.p.size); g.off < end {
			old = slices.Clone(f.now[g.off:end])
		}
		f.p.cover(g, old)
	}
}

func (f *image) resize(n int) {
	f.now = append(f.now, make([]byte, max(0, n-len(f.now)))...)[:n]
}

// TestPendingIsAnUndo: after any writes and truncations, rolling back gives the
// durable bytes again; and rolling back in part gives each byte from one side.
func TestPendingIsAnUndo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := image{durable: bytes.Repeat([]byte{1}, rapid.IntRange(0, 60).Draw(t, "size"))}
		f.now = slices.Clone(f.durable)
		f.p.begin(int64(len(f.now)))
		for n := range rapid.IntRange(0, 25).Draw(t, "steps") {
			at := rapid.IntRange(0, 80).Draw(t, "at")
			if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
				if at < len(f.now) {
					f.remember(span{int64(at), int64(len(f.now))})
				}
				f.resize(at)
				continue
			}
			length := rapid.IntRange(1, 30).Draw(t, "length")
			f.remember(span{int64(at), int64(at + length)})
			f.resize(max(len(f.now), at+length))
			copy(f.now[at:], bytes.Repeat([]byte{byte(n + 2)}, length))
		}
		for i, r := range f.p.runs {
			if r.empty() || int64(len(r.old)) > r.end-r.off || i > 0 && f.p.runs[i-1].end > r.off {
				t.Fatalf("run %d of %v is wrong", i, f.p.runs)
			}
		}
		whole := f.roll(len(f.durable), keepNone)
		if !bytes.Equal(whole, f.durable) {
			t.Fatalf("rolled back to %v, want %v", whole, f.durable)
		}
		f.rollPart(t)
	})
}

// roll applies a rollback to a copy.
func (f *image) roll(final int, keep keeper) []byte {
	patches, _, _ := f.p.rollback(int64(len(f.now)), int64(final), keep)
	g := image{now: slices.Clone(f.now)}
	g.resize(final)
	for _, p := range patches {
		copy(g.now[p.off:], p.data)
		copy(g.now[p.off+int64(len(p.data)):], make([]byte, p.zeros))
	}
	return g.now
}

func (f *image) rollPart(t *rapid.T) {
	final := len(f.durable)
	if rapid.Bool().Draw(t, "keep the length") {
		final = len(f.now)
	}
	mask := rapid.Uint64().Draw(t, "units")
	const unit = 8
	survives := func(at int64) bool { return mask>>(at/unit)&1 == 1 }
	part := f.roll(final, func(at, end int64) (bool, int64) { return survives(at), (at/unit + 1) * unit })
	for i, got := range part {
		var old, fresh byte
		if i < len(f.durable) {
			old = f.durable[i]
		}
		if i < len(f.now) {
			fresh = f.now[i]
		}
		want := old
		if survives(int64(i)) && i < len(f.now) {
			want = fresh
		}
		if got != want {
			t.Fatalf("byte %d of %d is %d: durable %d, written %d, unit survives %v", i, final, got, old, fresh, survives(int64(i)))
		}
	}
}
