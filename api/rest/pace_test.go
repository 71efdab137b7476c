package rest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// deadlines is a connection that notes its deadlines.
type deadlines struct {
	http.ResponseWriter
	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = append(d.read, t); return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = append(d.write, t); return nil }

func (d *deadlines) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// moves are the deadlines in seconds after the beginning; -1 for none.
func moves(all []time.Time, from time.Time) (out []int) {
	for _, t := range all {
		if t.IsZero() {
			out = append(out, -1)
		} else {
			out = append(out, int(t.Sub(from)/time.Second))
		}
	}
	return out
}

// slowly gives half a pace a second.
type slowly struct {
	io.Reader
	clock *clock.Fake
}

func (s slowly) Read(p []byte) (int, error) {
	s.clock.Advance(time.Second)
	return s.Reader.Read(p[:min(len(p), pace/2)])
}

// TestThePaceMovesTheDeadline: a client that sends or takes half a pace a
// second gets its time anew every other second, and none afterwards.
func TestThePaceMovesTheDeadline(t *testing.T) {
	fake := clock.NewFake(time.Unix(1000, 0))
	begin := fake.Now()
	d := &deadlines{ResponseWriter: httptest.NewRecorder()}
	c := conn{http.NewResponseController(d), fake, 10 * time.Second}
	body := slowly{bytes.NewReader(make([]byte, 2*pace+1)), fake}
	if n, err := io.Copy(io.Discard, &pacedBody{ReadCloser: io.NopCloser(body), conn: c}); n != 2*pace+1 || err != nil {
		t.Fatal(n, err)
	}
	// io.Copy asks for less than half a pace at a time: one second each.
	reads := moves(d.read, begin)
	if len(reads) != 4 || reads[0] != 10 || reads[1]-reads[0] < 2 || reads[2]-reads[1] < 2 || reads[3] != -1 {
		t.Errorf("read deadlines at %v", reads)
	}
	begin = fake.Now()
	if err := c.copyPaced(d, slowly{bytes.NewReader(make([]byte, 2*pace)), fake}); err != nil {
		t.Fatal(err)
	}
	writes := moves(d.write, begin)
	if len(writes) != 4 || writes[0] != 10 || writes[1]-writes[0] < 2 || writes[3] != -1 {
		t.Errorf("write deadlines at %v", writes)
	}
}

func TestAPlaceIsTakenOnce(t *testing.T) {
	a, b := make(chan struct{}, 1), make(chan struct{}, 1)
	var p, q place
	if !p.take(a) || q.take(a) || !p.take(b) || !q.take(a) || p.take(a) {
		t.Error("a set of one has room for one")
	}
	p.leave()
	q.leave()
	q.leave()
	if len(a)+len(b) != 0 {
		t.Errorf("%d and %d are left behind", len(a), len(b))
	}
}
