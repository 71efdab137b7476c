package manual

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// terminal is a root shell on a machine.
type terminal struct {
	cmd   *exec.Cmd
	lines io.WriteCloser

	mu sync.Mutex
	// said is what was printed since the last line was typed, its end if that is
	// very much; told is there to be read whenever there is more.
	said []byte
	told chan struct{}
	// typed counts lines. busy says that the last one has not come to its end.
	typed int
	busy  bool
}

// maxSaid bounds what a terminal keeps.
const maxSaid = 1 << 20

// running is what nodes say when they are up, and go on.
var running = regexp.MustCompile(`msg="(control node runs|host registered)"`)

// open opens a terminal in a folder of the machine, with what root has in its
// environment after a login, and what env adds.
func open(h *testbed.Host, folder string, env ...string) (*terminal, error) {
	const op = "manual.terminal"
	argv := []string{"env", "-i", "-C", folder, "HOME=/root", "USER=root", "LANG=C.UTF-8", "TERM=dumb",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	defer read.Close()
	t := &terminal{lines: write, told: make(chan struct{}, 1)}
	// The lines come by a descriptor of their own: a program that reads its
	// input must not swallow the next one.
	t.cmd = h.Command(context.Background(), slices.Concat(argv, env, []string{"bash", "/dev/fd/3"})...)
	t.cmd.ExtraFiles = []*os.File{read}
	t.cmd.Stdout, t.cmd.Stderr = t, t
	t.cmd.WaitDelay = time.Second
	if err := t.cmd.Start(); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	return t, nil
}

// Write takes what is printed.
func (t *terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = append(t.said, b...)
	if more := len(t.said) - maxSaid; more > 0 {
		t.said = bytes.Clone(t.said[more:])
	}
	select {
	case t.told <- struct{}{}:
	default:
	}
	return len(b), nil
}

// enter types a line and waits until it has come to its end, or says that it
// runs. Internal if it fails, and Unavailable if ctx ends first.
func (t *terminal) enter(ctx context.Context, command string) (string, error) {
	t.mu.Lock()
	t.typed++
	t.said, t.busy = nil, true
	t.mu.Unlock()
	if _, err := fmt.Fprintf(t.lines, "%s\necho \"%s$?\"\n", command, t.end()); err != nil {
		return "", errs.E("manual.type", errs.Internal, "", err)
	}
	return t.wait(ctx, true)
}

// end begins the line that the shell prints when the last command has ended.
func (t *terminal) end() string { return fmt.Sprintf("-- end of line %d: ", t.typed) }

// wait waits for the last line's end and gives what it printed; or, if up, until
// it runs.
func (t *terminal) wait(ctx context.Context, up bool) (string, error) {
	const op = "manual.type"
	for {
		said, code, ended := t.look()
		if ended && code != 0 {
			return said, errs.Errorf(op, errs.Internal, "it ends with status %d", code)
		}
		if ended || up && running.MatchString(said) {
			return said, nil
		}
		select {
		case <-t.told:
		case <-ctx.Done():
			return said, errs.E(op, errs.Unavailable, "it does not come to its end", ctx.Err())
		}
	}
}

// look gives what the last line printed, and its status if it has ended.
func (t *terminal) look() (said string, code int, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	said, status, ended := strings.Cut(string(t.said), t.end())
	if !ended || !strings.HasSuffix(status, "\n") {
		return said, 0, false
	}
	t.busy = false
	code, err := strconv.Atoi(strings.TrimSpace(status))
	if err != nil {
		code = -1
	}
	return said, code, true
}

func (t *terminal) free() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.busy
}

// interrupt is Ctrl-C: what runs in the terminal gets it, and the shell does not.
func (t *terminal) interrupt(ctx context.Context) error {
	const op = "manual.interrupt"
	shell := strconv.Itoa(t.cmd.Process.Pid)
	children, err := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children")
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	for _, child := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(child)
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGINT)
		}
		if err != nil {
			return errs.E(op, errs.Internal, "", err)
		}
	}
	_, err = t.wait(ctx, false)
	return err
}

// close ends the shell; what it has started is left to the rack.
func (t *terminal) close() {
	t.lines.Close()
	_ = t.cmd.Process.Kill()
	_ = t.cmd.Wait()
}
