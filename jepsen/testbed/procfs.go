package testbed

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/kvorum/kvorum/internal/errs"
)

// procStat is what of /proc/PID/stat is of use here.
type procStat struct {
	comm    string
	state   byte
	started uint64
}

func readStat(pid int) (procStat, error) {
	body, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return procStat{}, err
	}
	return parseStat(string(body))
}

// parseStat takes the fields by counting from the last parenthesis: a
// program's name may hold blanks and parentheses itself.
func parseStat(line string) (procStat, error) {
	first, last := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if first < 0 || last < first {
		return procStat{}, errs.Errorf("testbed.stat", errs.Internal, "odd stat line %q", line)
	}
	fields := strings.Fields(line[last+1:])
	const state, started = 0, 19 // fields 3 and 22 of proc(5)
	if len(fields) <= started {
		return procStat{}, errs.Errorf("testbed.stat", errs.Internal, "short stat line %q", line)
	}
	ticks, err := strconv.ParseUint(fields[started], 10, 64)
	if err != nil {
		return procStat{}, errs.E("testbed.stat", errs.Internal, "", err)
	}
	return procStat{comm: line[first+1 : last], state: fields[state][0], started: ticks}, nil
}

// alive tells whether exactly that process runs; a zombie has ended.
func alive(pid int, started uint64) bool {
	stat, err := readStat(pid)
	return err == nil && stat.started == started && stat.state != 'Z' && stat.state != 'X'
}

// signalProcess holds the process by a descriptor before it looks whether it
// is the one meant: a process id may be another's by the time of a kill.
func signalProcess(pid int, started uint64, sig syscall.Signal) error {
	proc, err := os.FindProcess(pid)
	if err != nil {
		return errs.E("testbed.signal", errs.Internal, "", err)
	}
	defer func() { _ = proc.Release() }()
	if !alive(pid, started) {
		return nil
	}
	err = proc.Signal(sig)
	if err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
		return errs.E("testbed.signal", errs.Internal, "", err)
	}
	return nil
}

// member is a process that belongs to a rack.
type member struct {
	pid     int
	started uint64
	comm    string
}

// members finds the processes that carry the rack's mark or are in one of its
// namespaces: guests are started by libvirtd without our environment, and
// services drop theirs. This process itself is never one.
func members(s state) []member {
	spaces := namespaces(s)
	marker := []byte(envMarker + "=" + s.ID)
	return processes(func(pid string) bool {
		return inside(pid, spaces) || hasEnv(pid, func(kv []byte) bool { return bytes.Equal(kv, marker) })
	})
}

// inside tells whether a process is in one of the namespaces.
func inside(pid string, spaces []string) bool {
	return slices.ContainsFunc([]string{"net", "mnt", "uts"}, func(kind string) bool {
		link, err := os.Readlink("/proc/" + pid + "/ns/" + kind)
		return err == nil && slices.Contains(spaces, link)
	})
}

func processes(want func(pid string) bool) []member {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []member
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || pid == 1 || !want(e.Name()) {
			continue
		}
		stat, err := readStat(pid)
		if err != nil || stat.state == 'Z' || stat.state == 'X' {
			continue
		}
		found = append(found, member{pid: pid, started: stat.started, comm: stat.comm})
	}
	return found
}

func hasEnv(pid string, match func(kv []byte) bool) bool {
	env, err := os.ReadFile("/proc/" + pid + "/environ")
	if err != nil {
		return false
	}
	return slices.ContainsFunc(bytes.Split(env, []byte{0}), match)
}

// namespaces gives those of the rack that exist, in the form in which
// /proc/PID/ns names them. What is not (or no longer) mounted on its pin is an
// ordinary file and is left out.
func namespaces(s state) []string {
	all := namespace(netnsPath(s.netns(switchName)), "net")
	for _, h := range s.Hosts {
		all = append(all, s.spaces(h.Name)...)
	}
	return all
}

// spaces are the namespaces of one host, as namespaces gives them.
func (s *state) spaces(host string) []string {
	return slices.Concat(namespace(netnsPath(s.netns(host)), "net"),
		namespace(s.pin(host, "mnt"), "mnt"), namespace(s.pin(host, "uts"), "uts"))
}

func namespace(path, kind string) []string {
	var fs syscall.Statfs_t
	var st syscall.Stat_t
	const nsfs = 0x6e736673
	if syscall.Statfs(path, &fs) != nil || fs.Type != nsfs || syscall.Stat(path, &st) != nil {
		return nil
	}
	return []string{kind + ":[" + strconv.FormatUint(st.Ino, 10) + "]"}
}
