package gossip

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// lines keeps what is logged.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(b))
	return len(b), nil
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(strings.Join(l.all, ""), text)
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func TestLinesKeepTheirLevel(t *testing.T) {
	for line, want := range map[string]string{
		"[ERR] serf: no\n":          "level=WARN msg=\"serf: no\"",
		"[WARN] memberlist: hm [x]": "level=WARN msg=\"memberlist: hm [x]\"",
		"[INFO] serf: yes":          "level=INFO msg=\"serf: yes\"",
		"[DEBUG] serf: tick":        "level=DEBUG msg=\"serf: tick\"",
		"[TRACE] serf: tock":        "level=DEBUG msg=\"serf: tock\"",
		"Err: odd":                  "level=INFO msg=\"Err: odd\"",
		"[no end":                   "level=INFO msg=\"[no end\"",
		"":                          "level=INFO msg=\"\"",
	} {
		got := &lines{}
		l := slog.New(slog.NewTextHandler(got, &slog.HandlerOptions{Level: slog.LevelDebug}))
		newLogger(l, clock.NewFake(time.Unix(0, 0)), nil).Print(line)
		if !got.has(want) {
			t.Errorf("%q became %q, want %q", line, got.all, want)
		}
	}
}

// TestLinesAreBounded: strangers can make memberlist write as many lines as
// they send packets.
func TestLinesAreBounded(t *testing.T) {
	now, got := clock.NewFake(time.Unix(0, 0)), &lines{}
	l := newLogger(slog.New(slog.NewTextHandler(got, nil)), now, nil)
	for i := range 10 * logBurst {
		l.Printf("[DEBUG] nobody listens %d", i)
		l.Printf("[ERR] memberlist: Decrypt packet failed %d %s", i, strings.Repeat("x", 2*logWidth))
	}
	if got.count() != logBurst {
		t.Errorf("%d lines, want %d", got.count(), logBurst)
	}
	if n := len(got.all[0]); n > logWidth+100 {
		t.Errorf("a line of %d bytes", n)
	}
	now.Advance(2 * logEvery)
	for range 10 {
		l.Print("[ERR] more")
	}
	if got.count() != logBurst+2 || !got.has(fmt.Sprintf("dropped_lines=%d", 9*logBurst)) {
		t.Errorf("%d lines: %q", got.count(), got.all[logBurst:])
	}
	now.Advance(time.Hour)
	for range 10 * logBurst {
		l.Print("[ERR] again")
	}
	if got.count() != 2*logBurst+2 {
		t.Errorf("%d lines after an hour", got.count())
	}
}
