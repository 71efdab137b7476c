package manual

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// Session is a reader at work, with a terminal, or several, on each machine of a
// rack. It is for one goroutine.
type Session struct {
	rack   *testbed.Rack
	folder string
	env    []string
	// terminals are by machine, the oldest first.
	terminals map[string][]*terminal
	// printed is what the last line printed.
	printed string
}

// NewSession begins on the machines of a rack, which are those of the document.
// Terminals open in folder, which exists on each. env is what the shells have in
// their environment, NAME=VALUE, besides what a login gives.
func NewSession(rack *testbed.Rack, folder string, env ...string) *Session {
	return &Session{rack: rack, folder: folder, env: env, terminals: map[string][]*terminal{}}
}

// placeholder is a word for which a reader writes what was printed before.
var placeholder = regexp.MustCompile(`\bTOKEN\b`)

// Type types a line and gives what it prints. A program that says that it runs
// keeps its terminal, and the machine's next line is typed in another one.
// Internal if the line fails, Unavailable if it does not end before ctx does.
func (s *Session) Type(ctx context.Context, l Line) (string, error) {
	t, err := s.terminal(l.Machine)
	if err != nil {
		return "", err
	}
	command := placeholder.ReplaceAllLiteralString(l.Command, strings.TrimSpace(s.printed))
	fmt.Printf("%s# %s\n", l.Machine, command)
	said, err := t.enter(ctx, command)
	fmt.Print(said)
	s.printed = said
	if err != nil {
		return said, errs.E("manual.type", errs.KindOf(err), "", fmt.Errorf("line %d, %s# %s: %w\n%s", l.Number, l.Machine, l.Command, err, said))
	}
	return said, nil
}

// terminal gives one of the machine in which nothing runs.
func (s *Session) terminal(machine string) (*terminal, error) {
	all := s.terminals[machine]
	if i := slices.IndexFunc(all, (*terminal).free); i >= 0 {
		return all[i], nil
	}
	h, err := s.rack.Host(machine)
	if err != nil {
		return nil, err
	}
	t, err := open(h, s.folder, s.env...)
	if err == nil {
		s.terminals[machine] = append(all, t)
	}
	return t, err
}

// Interrupt ends what runs on a machine with Ctrl-C, and waits for its end.
// NotFound if nothing does.
func (s *Session) Interrupt(ctx context.Context, machine string) error {
	done := false
	for _, t := range s.terminals[machine] {
		if t.free() {
			continue
		}
		done = true
		if err := t.interrupt(ctx); err != nil {
			return err
		}
	}
	if !done {
		return errs.Errorf("manual.interrupt", errs.NotFound, "nothing runs in a terminal of %s", machine)
	}
	return nil
}

// Close closes all terminals. What runs in them is left to the rack.
func (s *Session) Close() {
	for _, all := range s.terminals {
		for _, t := range all {
			t.close()
		}
	}
}
