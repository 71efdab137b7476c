package manual

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

func TestSession(t *testing.T) {
	t.Parallel()
	d := &Document{Machines: []Machine{{Name: "a", Address: netip.MustParseAddr("192.0.2.1")}, {Name: "b", Address: netip.MustParseAddr("192.0.2.2")}}}
	ctx, rack := layOut(t, "kvms", d)
	s := NewSession(rack, "/etc", "KEPT=kept")
	defer s.Close()
	for _, step := range []struct {
		machine, command, want string
	}{
		{"a", "hostname; pwd; echo $HOME $KEPT", "a\n/etc\n/root kept\n"},
		{"a", "export X=1 && cd /", ""},
		{"a", "echo x$X; pwd", "x1\n/\n"},
		{"b", "echo x$X; cat", "x\n"}, // a program that reads gets nothing of what is typed next
		{"a", "echo secret word", "secret word\n"},
		{"b", "echo is TOKEN, not TOKENS", "is secret word, not TOKENS\n"},
		{"a", "printf half", "half"},
		{"a", `bash -c 'echo "msg=\"host registered\""; trap "echo over; exit 0" INT; while :; do sleep 0.1; done'`, "msg=\"host registered\"\n"},
		{"a", "echo x$X", "x\n"}, // in another terminal
	} {
		if got, err := s.Type(ctx, Line{1, step.machine, step.command}); err != nil || got != step.want {
			t.Errorf("%s# %s gives %q, %v; want %q", step.machine, step.command, got, err, step.want)
		}
	}
	if err := s.Interrupt(ctx, "a"); err != nil {
		t.Error(err)
	}
	if got, err := s.Type(ctx, Line{1, "a", "echo x$X"}); err != nil || got != "x1\n" {
		t.Errorf("in the first terminal, after Ctrl-C: %q, %v", got, err)
	}
}

func TestSessionFails(t *testing.T) {
	t.Parallel()
	d := &Document{Machines: []Machine{{Name: "a", Address: netip.MustParseAddr("192.0.2.1")}}}
	ctx, rack := layOut(t, "kvmf", d)
	s := NewSession(rack, "/")
	defer s.Close()
	if said, err := s.Type(ctx, Line{7, "a", "echo so; false"}); !errs.Is(err, errs.Internal) || said != "so\n" || !strings.Contains(err.Error(), "line 7, a# echo so; false") {
		t.Errorf("a line that fails: %q, %v", said, err)
	}
	if _, err := s.Type(ctx, Line{8, "z", "true"}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a machine that is not there: %v", err)
	}
	if err := s.Interrupt(ctx, "a"); !errs.Is(err, errs.NotFound) {
		t.Errorf("Ctrl-C where nothing runs: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := s.Type(short, Line{9, "a", "sleep 1000"}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a line that does not end: %v", err)
	}
	// sleep ends with the signal's status.
	if err := s.Interrupt(ctx, "a"); !errs.Is(err, errs.Internal) {
		t.Errorf("Ctrl-C for a line that fails then: %v", err)
	}
	if said, err := s.Type(ctx, Line{10, "a", "echo again"}); err != nil || said != "again\n" {
		t.Errorf("after Ctrl-C: %q, %v", said, err)
	}
}
