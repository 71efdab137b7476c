package gossip

import (
	"context"
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// Strangers can cause lines at will, so only so many are passed on.
const (
	logBurst = 50
	logEvery = 200 * time.Millisecond // one more line each
	logWidth = 1024                   // longer lines are cut
)

// newLogger gives Serf and memberlist a logger of their kind that writes to
// ours. heard (optional) is told every line, whole; it must not block.
func newLogger(l *slog.Logger, c clock.Clock, heard func(line string)) *log.Logger {
	return log.New(&logWriter{log: l, heard: heard, allowance: newAllowance(c)}, "", 0)
}

type logWriter struct {
	log   *slog.Logger
	heard func(string)
	*allowance
}

// Write implements io.Writer; log.Logger calls it once a line.
func (w *logWriter) Write(b []byte) (int, error) {
	if w.heard != nil {
		w.heard(string(b))
	}
	line := strings.TrimSpace(string(b[:min(len(b), logWidth)]))
	level := slog.LevelInfo
	if rest, ok := strings.CutPrefix(line, "["); ok {
		if word, text, ok := strings.Cut(rest, "] "); ok {
			level, line = logLevel(word), text
		}
	}
	if !w.log.Enabled(context.Background(), level) {
		return len(b), nil
	}
	if dropped, ok := w.take(); !ok {
		return len(b), nil
	} else if dropped > 0 {
		w.log.Log(context.Background(), level, line, "dropped_lines", dropped)
	} else {
		w.log.Log(context.Background(), level, line)
	}
	return len(b), nil
}

// logLevel reads the library's word. Its errors are mostly what others sent,
// and none keeps this node from its work, so they are warnings here.
func logLevel(word string) slog.Level {
	switch word {
	case "ERR", "ERROR", "WARN":
		return slog.LevelWarn
	case "INFO":
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// allowance is how many lines may be written now.
type allowance struct {
	clock clock.Clock

	mu      sync.Mutex
	spare   int
	last    time.Duration // when spare was last filled
	dropped int
}

func newAllowance(c clock.Clock) *allowance {
	return &allowance{clock: c, spare: logBurst, last: c.Mono()}
}

// take asks for the right to write a line, and tells how many did not get it
// since the last that did.
func (w *allowance) take() (dropped int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if more := int((w.clock.Mono() - w.last) / logEvery); more > 0 {
		w.last += time.Duration(more) * logEvery
		w.spare = min(w.spare+more, logBurst)
	}
	if w.spare == 0 {
		w.dropped++
		return 0, false
	}
	w.spare--
	dropped, w.dropped = w.dropped, 0
	return dropped, true
}
