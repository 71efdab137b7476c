package drive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// maxSaved bounds the copies of a store.
const maxSaved = 16

var savedRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// save copies the data under a name, as it is now.
func (d *drive) save(ctx context.Context, name string) error {
	const op = "drive.save"
	if !savedRule.MatchString(name) {
		return errs.Errorf(op, errs.Invalid, "%q is not 1 to 32 lower-case letters, digits and dashes", name)
	}
	d.doing.Lock()
	defer d.doing.Unlock()
	if d.vol == nil {
		return errNotMounted
	}
	there, err := os.ReadDir(d.path(savedDir))
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	to := filepath.Join(d.path(savedDir), name)
	if _, err := os.Stat(to); errors.Is(err, fs.ErrNotExist) && len(there) >= maxSaved {
		return errs.Errorf(op, errs.Busy, "%d copies are kept already", maxSaved)
	}
	d.vol.gate.Lock()
	defer d.vol.gate.Unlock()
	d.trace.add(disk.Event{Op: "save", At: clock.SinceBoot(), Path: name})
	return duplicate(ctx, d.path(dataDir), to)
}

// put puts the data back as it was saved.
func (d *drive) put(ctx context.Context, name string) error {
	const op = "drive.put"
	from := filepath.Join(d.path(savedDir), name)
	if _, err := os.Stat(from); !savedRule.MatchString(name) || err != nil {
		return errs.Errorf(op, errs.NotFound, "nothing is saved as %q", name)
	}
	d.doing.Lock()
	defer d.doing.Unlock()
	if err := d.unmount(); err != nil {
		return err
	}
	if err := duplicate(ctx, from, d.path(dataDir)); err != nil {
		return err
	}
	d.trace.add(disk.Event{Op: "put", At: clock.SinceBoot(), Path: name})
	d.marks.clear()
	return d.mount()
}

// duplicate makes a folder the copy of another, whatever it was: aside first,
// so that there is always a whole one.
func duplicate(ctx context.Context, from, to string) error {
	const op = "drive.duplicate"
	aside := to + ".new"
	if err := os.RemoveAll(aside); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	// cp knows sockets, holes, owners and links to the same file.
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "cp", "--archive", "--sparse=always", from, aside)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return errs.E(op, errs.Internal, "", fmt.Errorf("cp: %w: %.1000s", err, said.Bytes()))
	}
	if err := errors.Join(os.RemoveAll(to), os.Rename(aside, to)); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	return nil
}
