package testbed

import (
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Process is a program that runs on a host under a name, apart from the
// process that started it: it outlives that one.
type Process struct {
	host  *Host
	name  string
	state processState
}

// Start runs a program on the host, in a session of its own, what it says
// going to LogFile. Conflict if one of that name runs.
func (h *Host) Start(name string, argv ...string) (*Process, error) {
	const op = "testbed.start"
	if !hostRule.MatchString(name) || len(argv) == 0 {
		return nil, errs.Errorf(op, errs.Invalid, "%q is no name for a process, or it has no command", name)
	}
	if p, err := h.Process(name); err == nil && p.Running() {
		return nil, errs.Errorf(op, errs.Conflict, "%s runs on %s already", name, h.name)
	}
	log, err := os.OpenFile(h.LogFile(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	defer log.Close()
	full := h.enter(argv)
	cmd := exec.Command(full[0], full[1:]...)
	cmd.Env = h.rack.environ()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	r := h.rack
	// Without this wait an ended process would stay as a zombie; Close waits for it.
	r.reapers.Go(func() { _ = cmd.Wait() })
	stat, err := readStat(cmd.Process.Pid)
	if err != nil {
		return nil, errs.Errorf(op, errs.Internal, "%s on %s ended at once", name, h.name)
	}
	p := &Process{host: h, name: name, state: processState{PID: cmd.Process.Pid, Started: stat.started, Argv: argv}}
	return p, r.change(func(s *state) {
		for i := range s.Hosts {
			if s.Hosts[i].Name == h.name {
				s.Hosts[i].note(name, p.state)
			}
		}
	})
}

// note puts a process into the state; the map is made anew, because copies of
// the state share it.
func (s *hostState) note(name string, p processState) {
	all := map[string]processState{name: p}
	for n, old := range s.Processes {
		if n != name {
			all[n] = old
		}
	}
	s.Processes = all
}

// Process gives the last process started under the name, by whomever.
// NotFound if there was none.
func (h *Host) Process(name string) (*Process, error) {
	h.rack.mu.Lock()
	defer h.rack.mu.Unlock()
	for _, s := range h.rack.state.Hosts {
		if p, ok := s.Processes[name]; ok && s.Name == h.name {
			return &Process{host: h, name: name, state: p}, nil
		}
	}
	return nil, errs.Errorf("testbed.process", errs.NotFound, "%s has no process %q", h.name, name)
}

// Processes gives the last process under each name, sorted by name.
func (h *Host) Processes() []*Process {
	h.rack.mu.Lock()
	defer h.rack.mu.Unlock()
	var all []*Process
	for _, s := range h.rack.state.Hosts {
		if s.Name != h.name {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.Processes)) {
			all = append(all, &Process{host: h, name: name, state: s.Processes[name]})
		}
	}
	return all
}

// LogFile is where the output of processes started under the name goes.
func (h *Host) LogFile(name string) string { return filepath.Join(h.dir, "log", name+".log") }

// Stop asks the process to end (SIGTERM) and waits; when ctx ends first, it is
// killed and waited for. Already ended is success.
func (h *Host) Stop(ctx context.Context, name string) error {
	p, err := h.Process(name)
	if err != nil {
		return err
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if p.wait(ctx) == nil {
		return nil
	}
	return h.Kill(name)
}

// Kill ends the process at once (SIGKILL) and waits for that. Already ended is
// success.
func (h *Host) Kill(name string) error {
	p, err := h.Process(name)
	if err != nil {
		return err
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), killWait)
	defer cancel()
	return p.wait(ctx)
}

// Pause stops the process where it is (SIGSTOP), as a hung machine would.
func (h *Host) Pause(name string) error { return h.signal(name, syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (h *Host) Resume(name string) error { return h.signal(name, syscall.SIGCONT) }

func (h *Host) signal(name string, sig syscall.Signal) error {
	p, err := h.Process(name)
	if err != nil {
		return err
	}
	if !p.Running() {
		return errs.Errorf("testbed.signal", errs.Conflict, "%s on %s has ended", name, h.name)
	}
	return p.Signal(sig)
}

// killWait bounds the wait for a killed process: one that hangs in the kernel
// longer is a broken machine.
const killWait = 30 * time.Second

// Name is the name given to Start.
func (p *Process) Name() string { return p.name }

// PID is the process id on the machine.
func (p *Process) PID() int { return p.state.PID }

// Running tells whether the process has not ended.
func (p *Process) Running() bool { return alive(p.state.PID, p.state.Started) }

// State is the kernel's letter for what the process does (proc_pid_stat(5)), T
// for one that is paused; 0 if it has ended.
func (p *Process) State() byte {
	stat, err := readStat(p.state.PID)
	if err != nil || stat.started != p.state.Started {
		return 0
	}
	return stat.state
}

// Signal sends a signal to the process; ended already is success.
func (p *Process) Signal(sig syscall.Signal) error {
	return signalProcess(p.state.PID, p.state.Started, sig)
}

// wait returns nil once the process has ended.
func (p *Process) wait(ctx context.Context) error {
	for p.Running() {
		if err := clock.Sleep(ctx, p.host.rack.clock, pollEvery); err != nil {
			return errs.Errorf("testbed.wait", errs.Unavailable, "%s on %s has not ended", p.name, p.host.name)
		}
	}
	return nil
}

// logTail is how much of a log's end LogTail gives, in bytes.
const logTail = 4096

// LogTail is the end of the process's log, for messages.
func (p *Process) LogTail() string {
	f, err := os.Open(p.host.LogFile(p.name))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > logTail {
		if _, err := f.Seek(-logTail, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, logTail))
	if err != nil {
		return err.Error()
	}
	return string(text)
}
