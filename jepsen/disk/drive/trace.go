package drive

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"os"
	"sync"

	"github.com/kvorum/kvorum/jepsen/disk"
)

const (
	// maxTraceFile bounds the trace's file, in bytes.
	maxTraceFile = 1 << 30
	// maxPart bounds what one question gets.
	maxPart = 10000
)

// trace remembers the last events, and writes all of them to a file if there
// is one.
type trace struct {
	mu   sync.Mutex
	ring []disk.Event
	next uint64 // the Seq of the next event
	file *os.File
	out  *bufio.Writer
	size int64
	log  *slog.Logger
}

func newTrace(length int, file string, log *slog.Logger) (*trace, error) {
	t := &trace{ring: make([]disk.Event, length), log: log}
	if file == "" {
		return t, nil
	}
	var err error
	if t.file, err = os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return nil, err
	}
	t.out = bufio.NewWriterSize(t.file, 64<<10)
	return t, nil
}

// add notes an event and gives it its number.
func (t *trace) add(e disk.Event) disk.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.Seq = t.next
	t.next++
	t.ring[e.Seq%uint64(len(t.ring))] = e
	if t.out != nil {
		t.write(e)
	}
	return e
}

// write appends to the file. A file that fails or is too long is given up, in
// words: the ring goes on.
func (t *trace) write(e disk.Event) {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = t.out.Write(append(line, '\n'))
	}
	t.size += int64(len(line)) + 1
	if err == nil && t.size < maxTraceFile {
		return
	}
	t.log.Error("the trace's file ends here", "bytes", t.size, "err", err)
	t.end()
}

// end flushes and gives the file up.
func (t *trace) end() {
	if t.out == nil {
		return
	}
	if err := t.out.Flush(); err != nil {
		t.log.Error("the trace's file is not whole", "err", err)
	}
	_ = t.file.Close()
	t.out = nil
}

// flush makes the file as new as the ring.
func (t *trace) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.out != nil {
		_ = t.out.Flush() // a failure comes again with the next line
	}
}

func (t *trace) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
}

// part gives events from a number on, oldest first.
func (t *trace) part(from uint64, n int) *disk.Trace {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n <= 0 || n > maxPart {
		n = maxPart
	}
	p := &disk.Trace{Events: []disk.Event{}}
	oldest := t.next - min(t.next, uint64(len(t.ring)))
	if from < oldest {
		p.Missed, from = oldest-from, oldest
	}
	for ; from < t.next && len(p.Events) < n; from++ {
		p.Events = append(p.Events, t.ring[from%uint64(len(t.ring))])
	}
	p.Next = from
	return p
}
