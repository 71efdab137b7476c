package drive

import (
	"slices"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// span is the bytes from off up to, not including, end.
type span struct{ off, end int64 }

func (s span) empty() bool { return s.off >= s.end }

// run is a part of a file that is not durable as it is. old is what is durable
// of it, from its beginning; it ends before the run does where the durable file
// ends.
type run struct {
	span
	old []byte
}

// runCost is what a run costs besides its bytes, in bytes.
const runCost = 64

// mergeBytes bounds what is copied to make one run of two.
const mergeBytes = 64 << 10

// stroke is one write, by its place in the order of all.
type stroke struct {
	span
	seq uint64
}

// pending is what a file has that is not durable. The zero value is a file
// whose every byte is.
type pending struct {
	dirty bool
	// size is the durable length, if dirty.
	size int64
	// runs are sorted and do not overlap.
	runs []run
	// strokes are the last few writes, the newest last.
	strokes []stroke
	// cost is what all this holds in memory, in bytes.
	cost int64
}

// begin notes that the file, now of that length, will differ from what is
// durable.
func (p *pending) begin(size int64) {
	if !p.dirty {
		p.dirty, p.size = true, size
	}
}

// from is the place of the first run that ends behind off.
func (p *pending) from(off int64) int {
	i, _ := slices.BinarySearchFunc(p.runs, off, func(r run, off int64) int {
		if r.end <= off {
			return -1
		}
		return 1
	})
	return i
}

// gaps are the parts of s that no run covers yet.
func (p *pending) gaps(s span) (all []span) {
	for i := p.from(s.off); i < len(p.runs) && p.runs[i].off < s.end; i++ {
		if r := p.runs[i]; r.off > s.off {
			all = append(all, span{s.off, r.off})
		}
		s.off = p.runs[i].end
	}
	if !s.empty() {
		all = append(all, s)
	}
	return all
}

// cover adds one gap with what is durable of it. Since there is nothing durable
// behind the durable length, what touches can be joined.
func (p *pending) cover(gap span, old []byte) {
	p.cost += int64(len(old)) + runCost
	i := p.from(gap.off)
	if i > 0 && p.runs[i-1].end == gap.off {
		before := &p.runs[i-1]
		before.end, before.old = gap.end, append(before.old, old...)
		if i < len(p.runs) && p.runs[i].off == gap.end && len(p.runs[i].old) <= mergeBytes {
			before.end, before.old = p.runs[i].end, append(before.old, p.runs[i].old...)
			p.runs = slices.Delete(p.runs, i, i+1)
		}
		return
	}
	p.runs = slices.Insert(p.runs, i, run{gap, old})
}

// wrote remembers a write.
func (p *pending) wrote(seq uint64, s span) {
	if len(p.strokes) == disk.MaxTorn {
		p.strokes = slices.Delete(p.strokes, 0, 1)
	}
	p.strokes = append(p.strokes, stroke{s, seq})
}

// bytes is how many are not durable as they are.
func (p *pending) bytes() (n int64) {
	for _, r := range p.runs {
		n += r.end - r.off
	}
	return n
}

// patch is bytes to be put back, and zeros behind them.
type patch struct {
	off   int64
	data  []byte
	zeros int64
}

// keeper decides over the bytes from at on: whether they survive, and up to
// where that holds.
type keeper func(at, end int64) (survives bool, until int64)

func keepNone(_, end int64) (bool, int64) { return false, end }

// rollback gives what must be written to a file of length now, which is made
// one of length final, so that only what keep lets survive is there of what was
// not durable; and how many bytes are lost and kept.
func (p *pending) rollback(now, final int64, keep keeper) (patches []patch, lost, kept int64) {
	for _, r := range p.runs {
		for at := r.off; at < r.end; {
			survives, until := keep(at, r.end)
			until = min(until, r.end)
			// Bytes behind the end, before or after, cannot survive.
			for _, edge := range []int64{now, final} {
				if at < edge && until > edge {
					until = edge
				}
			}
			if survives && until <= now && until <= final {
				kept += until - at
			} else {
				lost += until - at
				if at < final {
					patches = append(patches, r.part(at, until))
				}
			}
			at = until
		}
	}
	return patches, lost, kept
}

// part is what puts a part of the run back.
func (r run) part(at, until int64) patch {
	p := patch{off: at}
	durable := r.off + int64(len(r.old))
	if at < durable {
		p.data = r.old[at-r.off : min(until, durable)-r.off]
	}
	p.zeros = until - at - int64(len(p.data))
	return p
}
