package raftnode

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/kvorum/kvorum/internal/clock"
)

// While another node is away raft says so many times a second. Each such line is
// passed on when it is new, and then once in hushTime; at most maxHushed of them
// are remembered.
const (
	hushTime  = 30 * time.Second
	maxHushed = 256
)

// hush keeps a line from being said again at once. It is safe for concurrent
// use.
type hush struct {
	clock clock.Clock

	mu   sync.Mutex
	said map[string]*said
}

// said is a line that was passed on, and how often it came since.
type said struct {
	at     time.Duration
	missed int
}

func newHush(c clock.Clock) *hush { return &hush{clock: c, said: map[string]*said{}} }

// pass tells whether a line may be said, and how often it was not since it was
// last. The empty one, which is about nobody, always may.
func (h *hush) pass(line string) (missed int, ok bool) {
	if line == "" {
		return 0, true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.clock.Mono()
	if was := h.said[line]; was != nil {
		if now-was.at < hushTime {
			was.missed++
			return 0, false
		}
		missed = was.missed
	}
	if len(h.said) >= maxHushed {
		clear(h.said) // too many to be the same ones again
	}
	h.said[line] = &said{at: now}
	return missed, true
}

// about makes one text of the lines that say the same of the same node: the
// message, the node and the error, without the numbers in it, such as ports.
// It is empty for a line about no other node: a broken disk, say.
func about(msg string, args []any) string {
	named := msg == "Election timeout reached, restarting election"
	line := msg
	for _, name := range []string{"peer", "target", "server-id", "from", "candidate"} {
		if node := arg(args, name); node != nil {
			line += fmt.Sprintf(" %s=%v", name, node)
			named = true
		}
	}
	if !named {
		return ""
	}
	if err := arg(args, "error"); err != nil {
		line += " " + strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return -1
			}
			return r
		}, fmt.Sprint(err))
	}
	return line
}
