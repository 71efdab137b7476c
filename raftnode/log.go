package raftnode

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/clock"
)

// newRaftLogger gives raft a logger of its kind that writes to ours.
func newRaftLogger(log *slog.Logger, c clock.Clock) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Level: hclog.Off, Output: io.Discard})
	l.RegisterSink(&logSink{log, newHush(c)})
	return l
}

type logSink struct {
	log *slog.Logger
	*hush
}

// Accept implements hclog.SinkAdapter.
func (s *logSink) Accept(name string, level hclog.Level, msg string, args ...any) {
	l := slogLevel(level)
	if ordinary(msg, args) {
		l = slog.LevelInfo
	}
	if !s.log.Enabled(context.Background(), l) {
		return
	}
	if l >= slog.LevelWarn {
		missed, ok := s.pass(about(msg, args))
		if !ok {
			return
		}
		if missed > 0 {
			args = append(args, "repeated", missed)
		}
	}
	for i, a := range args {
		if f, ok := a.(hclog.Format); ok && len(f) > 0 {
			args[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
		}
	}
	s.log.Log(context.Background(), l, name+": "+msg, args...)
}

// arg is what a line says under a name; nil if it says nothing.
func arg(args []any, name string) any {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1]
		}
	}
	return nil
}

// ordinary tells whether raft warns of what happens to every cluster: of an
// election by a node that has heard no leader since its start (it has lost
// none), and of a node that has nothing of the log, as each has when it enters.
func ordinary(msg string, args []any) bool {
	switch msg {
	case "heartbeat timeout reached, starting election":
		return fmt.Sprint(arg(args, "last-leader-id")) == ""
	case "failed to get previous log":
		return fmt.Sprint(arg(args, "last-index")) == "0"
	case "appendEntries rejected, sending older logs":
		peer, ok := arg(args, "peer").(raft.Server)
		return ok && peer.Suffrage == raft.Nonvoter && fmt.Sprint(arg(args, "next")) == "1"
	}
	return false
}

func slogLevel(l hclog.Level) slog.Level {
	switch {
	case l >= hclog.Error:
		return slog.LevelError
	case l == hclog.Warn:
		return slog.LevelWarn
	case l == hclog.Info:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
