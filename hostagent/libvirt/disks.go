package libvirt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
)

// The names in a guest's folder.
const (
	diskFile    = "disk"
	infoFile    = "disk.info"
	consoleFile = "console.log"
	tmpSuffix   = ".tmp"
)

// Limits of one run of qemu-img: it only ever writes a few blocks of metadata.
const (
	imgTime   = time.Minute
	imgCPU    = 30      // seconds
	imgMemory = 1 << 30 // bytes of address space
)

// store is the instances folder. All paths in it are relative to an os.Root,
// which no link leads out of.
type store struct {
	dir  string
	root *os.Root
}

// diskInfo is what is known of a guest's disk without reading the disk, which
// the guest writes.
type diskInfo struct {
	Format string `json:"format"`
	// Size is the disk's when it was made, in bytes.
	Size int64 `json:"size"`
	// The image under it, and the hash that names the image's bytes; empty for
	// a blank disk.
	Base       string `json:"base,omitempty"`
	BaseFormat string `json:"base_format,omitempty"`
	BaseSHA256 string `json:"base_sha256,omitempty"`
}

func openStore(dir string) (*store, error) {
	const op = "libvirt.openStore"
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, errs.E(op, errs.Internal, "the instances folder cannot be made", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "the instances folder cannot be opened", err)
	}
	return &store{dir: dir, root: root}, nil
}

// closedFolder gives the first folder on the way to dir that others may not
// pass, or "": QEMU's user could not reach a disk behind it.
func closedFolder(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		if st, err := os.Stat(dir); err == nil && st.Mode().Perm()&0o001 == 0 {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

func (s *store) close() error { return s.root.Close() }

// folder is the absolute path of a guest's own folder.
func (s *store) folder(id string) string { return filepath.Join(s.dir, id) }

// ensure makes what is missing of a guest's folder, disk and console log. A
// disk that is there is kept; running says that somebody uses it.
func (s *store) ensure(ctx context.Context, spec hostagent.Spec, running bool) error {
	const op = "libvirt.ensureDisks"
	id := spec.Guest.ID
	lay, err := layoutOf(spec)
	if err != nil {
		return err
	}
	if err := s.root.Mkdir(id, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return diskError(op, err)
	}
	// Mkdir's mode is cut by the process's umask; QEMU's user must pass.
	if err := s.root.Chmod(id, 0o711); err != nil {
		return diskError(op, err)
	}
	if err := s.ensureConsole(id); err != nil {
		return diskError(op, err)
	}
	if !lay.HasRoot {
		return nil
	}
	info, err := s.readInfo(id)
	if err != nil {
		return err
	}
	if info != nil {
		return s.keep(ctx, spec, lay, *info, running)
	}
	return s.create(ctx, spec, lay)
}

// readInfo gives what is known of an existing disk, or nil when there is none.
func (s *store) readInfo(id string) (*diskInfo, error) {
	const op = "libvirt.readInfo"
	if _, err := s.root.Lstat(filepath.Join(id, diskFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, diskError(op, err)
	}
	b, err := s.root.ReadFile(filepath.Join(id, infoFile))
	if err != nil {
		return nil, errs.E(op, errs.Conflict, "the guest has a disk that nothing is known of", err)
	}
	var info diskInfo
	if err := json.Unmarshal(b, &info); err != nil || info.Format != formatQCOW2 {
		return nil, errs.E(op, errs.Conflict, "the description of the guest's disk does not parse", err)
	}
	return &info, nil
}

// keep makes sure that an existing disk lies over the image that is wanted.
// Over other bytes it would be rubble, so that is refused; the same bytes in
// another place only need the new place written down.
func (s *store) keep(ctx context.Context, spec hostagent.Spec, lay layout, info diskInfo, running bool) error {
	const op = "libvirt.keepDisk"
	if (info.Base == "") != (lay.Base == "") || info.BaseFormat != lay.BaseFormat ||
		lay.Base != "" && info.BaseSHA256 != spec.Guest.Image.SHA256 {
		return errs.Errorf(op, errs.Conflict, "the guest has a disk that was made from another image")
	}
	if info.Base == lay.Base || running {
		return nil
	}
	id := spec.Guest.ID
	err := qemuImg(ctx, "rebase", "-u", "-f", formatQCOW2, "-F", lay.BaseFormat, "-b", lay.Base,
		filepath.Join(s.folder(id), diskFile))
	if err != nil {
		return err
	}
	info.Base = lay.Base
	return s.writeInfo(id, info)
}

// create makes the disk beside its place and moves it there when it is whole,
// after its description.
func (s *store) create(ctx context.Context, spec hostagent.Spec, lay layout) error {
	const op = "libvirt.createDisk"
	id := spec.Guest.ID
	info := diskInfo{Format: formatQCOW2, Size: int64(spec.Guest.Disk) << 30}
	if lay.Base != "" {
		size, err := virtualSize(lay.Base, lay.BaseFormat)
		if err != nil {
			return err
		}
		if info.Size != 0 && size > info.Size {
			return errs.Errorf(op, errs.Invalid, "the flavor's disk is smaller than the image: %d GiB for %d bytes",
				spec.Guest.Disk, size)
		}
		info.Size = max(info.Size, size)
		info.Base, info.BaseFormat, info.BaseSHA256 = lay.Base, lay.BaseFormat, spec.Guest.Image.SHA256
	}
	tmp := filepath.Join(id, diskFile+tmpSuffix)
	if err := s.root.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diskError(op, err)
	}
	args := []string{"create", "-q", "-f", formatQCOW2, "-o", "compat=1.1"}
	if lay.Base != "" {
		// -u: qemu-img does not open the image; its size was read above.
		args = append(args, "-u", "-F", lay.BaseFormat, "-b", lay.Base)
	}
	args = append(args, filepath.Join(s.dir, tmp), strconv.FormatInt(info.Size, 10))
	if err := qemuImg(ctx, args...); err != nil {
		return err
	}
	// Only its owner may read it: libvirt makes QEMU's user that.
	if err := s.root.Chmod(tmp, 0o600); err != nil {
		return diskError(op, err)
	}
	if err := s.sync(tmp); err != nil {
		return diskError(op, err)
	}
	if err := s.writeInfo(id, info); err != nil {
		return err
	}
	if err := s.root.Rename(tmp, filepath.Join(id, diskFile)); err != nil {
		return diskError(op, err)
	}
	if err := s.sync(id); err != nil {
		return diskError(op, err)
	}
	return diskError(op, s.sync("."))
}

func (s *store) writeInfo(id string, info diskInfo) error {
	const op = "libvirt.writeInfo"
	b, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	name := filepath.Join(id, infoFile)
	if err := s.root.WriteFile(name+tmpSuffix, append(b, '\n'), 0o600); err != nil {
		return diskError(op, err)
	}
	if err := s.sync(name + tmpSuffix); err != nil {
		return diskError(op, err)
	}
	return diskError(op, s.root.Rename(name+tmpSuffix, name))
}

// sync waits until a file's bytes, or a folder's names, are on the disk.
func (s *store) sync(name string) error {
	f, err := s.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// remove deletes everything of a guest; nothing there is success.
func (s *store) remove(id string) error {
	const op = "libvirt.removeDisks"
	if err := s.root.RemoveAll(id); err != nil {
		return diskError(op, err)
	}
	return diskError(op, s.sync("."))
}

// size gives the whole size in GiB of the file system that holds the guests.
func (s *store) size() (int, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &st); err != nil {
		return 0, diskError("libvirt.diskSize", err)
	}
	return int(st.Blocks * uint64(st.Bsize) >> 30), nil
}

// takesDirectIO tells whether path can be opened past the page cache.
func takesDirectIO(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECT, 0)
	if err != nil {
		return false
	}
	_ = f.Close() // only opened
	return true
}

// cacheMode chooses QEMU's cache mode for a guest whose disk is made.
func (s *store) cacheMode(id string, lay layout) string {
	if lay.HasRoot && takesDirectIO(filepath.Join(s.folder(id), diskFile)) &&
		(lay.Base == "" || takesDirectIO(lay.Base)) {
		return "none"
	}
	return "writethrough"
}

// qemuImg runs qemu-img under limits of time, processor and memory.
func qemuImg(ctx context.Context, args ...string) error {
	const op = "libvirt.qemuImg"
	ctx, cancel := context.WithTimeout(ctx, imgTime)
	defer cancel()
	limits := []string{
		"--cpu=" + strconv.Itoa(imgCPU), "--as=" + strconv.Itoa(imgMemory), "--core=0", "--", "qemu-img",
	}
	cmd := exec.CommandContext(ctx, "prlimit", append(limits, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errs.E(op, errs.Unavailable, "making the guest's disk took too long", ctx.Err())
	case bytes.Contains(out.Bytes(), []byte("No space left")):
		return errs.E(op, errs.Unavailable, "the host has no space for the guest's disk", err)
	default:
		detail := out.Bytes()
		return errs.E(op, errs.Internal, "the guest's disk could not be made",
			errors.Join(err, errors.New(string(detail[:min(len(detail), 1024)]))))
	}
}

// diskError gives a failed file operation its kind: a full or slow disk may
// recover, anything else would fail again.
func diskError(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errs.E(op, errs.Unavailable, "the host has no space for the guest's files", err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOMEM):
		return errs.E(op, errs.Unavailable, "the host is short of memory or open files", err)
	default:
		return errs.E(op, errs.Internal, "the guest's files could not be written", err)
	}
}
