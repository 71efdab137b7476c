package hostagent

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/kvorum/kvorum/internal/errs"
)

// Disk keeps the ledger's files. When Save returns nil the bytes survive a loss
// of power, and there is never a mixture of old and new ones.
type Disk interface {
	// Load gives the file's bytes, or nil if there is no such file.
	Load(name string) ([]byte, error)
	Save(name string, data []byte) error
	// Remove deletes the file; one that is not there is success.
	Remove(name string) error
	// List names all files, sorted.
	List() ([]string, error)
}

// FileDisk is a Disk in a folder of its own.
type FileDisk struct{ dir string }

const (
	ledgerSuffix = ".json"
	tempPrefix   = ".new-"
)

// NewFileDisk makes the folder if need be, and clears away what a crash left
// half-written.
func NewFileDisk(dir string) (*FileDisk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.E("hostagent.disk", errs.Internal, "", err)
	}
	if err := removeTemps(dir); err != nil {
		return nil, err
	}
	return &FileDisk{dir}, nil
}

func removeTemps(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*"))
	if err != nil {
		return errs.E("hostagent.disk", errs.Internal, "", err)
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errs.E("hostagent.disk", errs.Internal, "", err)
		}
	}
	return nil
}

func (d *FileDisk) path(name string) string { return filepath.Join(d.dir, name+ledgerSuffix) }

// Load implements Disk.
func (d *FileDisk) Load(name string) ([]byte, error) {
	b, err := os.ReadFile(d.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errs.E("hostagent.disk.load", errs.Internal, "", err)
	}
	return b, nil
}

// Save implements Disk: a new file, synced, takes the old one's name.
func (d *FileDisk) Save(name string, data []byte) error {
	f, err := os.CreateTemp(d.dir, tempPrefix+"*")
	if err != nil {
		return errs.E("hostagent.disk.save", errs.Internal, "", err)
	}
	_, err = f.Write(data)
	if err = settleFile(f, d.path(name), err); err != nil {
		return errs.E("hostagent.disk.save", errs.Internal, "", err)
	}
	return nil
}

// settleFile syncs and closes f, gives it its name and syncs the folder; with an
// error, its own or err, f is deleted.
func settleFile(f *os.File, name string, err error) error {
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // cleared at the next start otherwise
		return err
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}

// Remove implements Disk.
func (d *FileDisk) Remove(name string) error {
	if err := os.Remove(d.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.E("hostagent.disk.remove", errs.Internal, "", err)
	}
	if err := syncDir(d.dir); err != nil {
		return errs.E("hostagent.disk.remove", errs.Internal, "", err)
	}
	return nil
}

// List implements Disk.
func (d *FileDisk) List() ([]string, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, errs.E("hostagent.disk.list", errs.Internal, "", err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ledgerSuffix); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// MemDisk is a Disk in memory, for simulated hosts: it outlives the agent that
// uses it, as a real one does.
type MemDisk struct {
	mu    sync.Mutex
	files map[string][]byte
	fail  error
}

// NewMemDisk makes an empty one.
func NewMemDisk() *MemDisk { return &MemDisk{files: map[string][]byte{}} }

// Fail makes each Save and Remove fail with err until it is called with nil.
func (d *MemDisk) Fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

// Load implements Disk.
func (d *MemDisk) Load(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.files[name]), nil
}

// Save implements Disk.
func (d *MemDisk) Save(name string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.files[name] = slices.Clone(data)
	return nil
}

// Remove implements Disk.
func (d *MemDisk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	delete(d.files, name)
	return nil
}

// List implements Disk.
func (d *MemDisk) List() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.files)), nil
}
