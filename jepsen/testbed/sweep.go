package testbed

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Sweep removes what the rack of the prefix left on the machine, whether it
// was closed, abandoned or killed half-way. Nothing there is success. It goes
// by what the rack wrote down and touches nothing else.
func Sweep(ctx context.Context, prefix string, c clock.Clock) error {
	reg, err := lookup(prefix)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := loadState(reg.Dir)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	if err != nil || s.ID != reg.ID {
		// Killed before it wrote its state, or taken down up to its registration.
		s = state{ID: reg.ID, Prefix: prefix, Dir: reg.Dir}
	}
	return teardown(ctx, c, s)
}

// teardown removes a rack: processes first, because they hold all else, the
// registration last, because the way back leads through it.
func teardown(ctx context.Context, c clock.Clock, s state) error {
	if err := killAll(ctx, c, func() []member { return members(s) }); err != nil {
		return err
	}
	if err := unmountAll(s.Dir); err != nil {
		return err
	}
	if err := removeNetwork(ctx, s); err != nil {
		return err
	}
	for _, path := range []string{filepath.Join(s.Dir, "hosts"), pinDir(s.Dir), stateFile(s.Dir) + ".new", stateFile(s.Dir)} {
		if err := os.RemoveAll(path); err != nil {
			return errs.E("testbed.sweep", errs.Internal, "", err)
		}
	}
	// What callers put into the folder beside our files is theirs: then it stays.
	err := os.Remove(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
		return errs.E("testbed.sweep", errs.Internal, "", err)
	}
	return unregister(s.Prefix)
}

// killAll repeats until find finds nothing more: one may fork while we look.
func killAll(ctx context.Context, c clock.Clock, find func() []member) error {
	const op = "testbed.sweep"
	deadline := c.Mono() + killWait
	for {
		left := find()
		if len(left) == 0 {
			return nil
		}
		for _, m := range left {
			if err := signalProcess(m.pid, m.started, syscall.SIGKILL); err != nil {
				return err
			}
		}
		if c.Mono() > deadline {
			return errs.Errorf(op, errs.Internal, "%s (%d) and %d more do not die", left[0].comm, left[0].pid, len(left)-1)
		}
		if err := clock.Sleep(ctx, c, pollEvery); err != nil {
			return errs.E(op, errs.Unavailable, "", err)
		}
	}
}

// unmountAll takes down all mounts at or below the folder, the last first.
func unmountAll(dir string) error {
	mounts, err := mountsBelow(dir)
	if err != nil {
		return err
	}
	for _, m := range slices.Backward(mounts) {
		if err := syscall.Unmount(m, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			return errs.E("testbed.sweep", errs.Internal, "", fmt.Errorf("unmount %s: %w", m, err))
		}
	}
	return nil
}

// mountsBelow lists the places of mounts at or below dir in the order of
// mounting; "/" gives all.
func mountsBelow(dir string) ([]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, errs.E("testbed.mounts", errs.Internal, "", err)
	}
	defer f.Close()
	// The kernel writes blanks and backslashes in paths as octal.
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var all []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		at := plain.Replace(fields[4])
		if at == dir || strings.HasPrefix(at, strings.TrimSuffix(dir, "/")+"/") {
			all = append(all, at)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, errs.E("testbed.mounts", errs.Internal, "", err)
	}
	return all, nil
}

// removeNetwork deletes the rack's namespaces; their links go with them.
func removeNetwork(ctx context.Context, s state) error {
	up := s.uplinkName()
	if _, err := os.Stat("/sys/class/net/" + up); s.Uplink && err == nil {
		if err := runCommand(ctx, environ(s.ID), "", "ip", "link", "del", up); err != nil {
			return err
		}
	}
	names := []string{s.netns(switchName)}
	for _, h := range s.Hosts {
		names = append(names, s.netns(h.Name))
	}
	slices.SortFunc(names, cmp.Compare[string])
	for _, name := range names {
		if _, err := os.Lstat(netnsPath(name)); err != nil {
			continue
		}
		if err := runCommand(ctx, environ(s.ID), "", "ip", "netns", "del", name); err != nil {
			return err
		}
	}
	return nil
}
