package imagestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/kvorum/kvorum/internal/errs"
)

// ErrCorrupt is in the chain of Verify's error when a file no longer holds the bytes that its name promises.
var ErrCorrupt = errors.New("the stored bytes do not match their SHA-256")

const (
	tempPrefix = "put-"
	tempSuffix = ".tmp"
)

// Store is a directory of images. All methods may be called at the same time. Exactly one Store may have a directory
// open: it holds a lock on it, because opening removes the temporary files of the previous owner.
type Store struct {
	root  *os.Root
	dir   *os.File // the directory itself: locked while open, synced after each change of a name
	limit int64    // bytes; 0 means no limit

	mu   sync.Mutex
	used int64  // bytes of images and of unfinished puts
	seq  uint64 // of the last temporary file
}

// Entry is one stored image.
type Entry struct {
	SHA256 string
	Size   int64
}

// Open takes a directory, makes it if it's missing, and removes what a crash left behind. limit bounds the sum of all
// images in bytes; 0 means no limit. A directory that another Store holds gives Busy.
func Open(dir string, limit int64) (*Store, error) {
	const op = "imagestore.Open"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	s := &Store{root: root, limit: limit}
	if s.dir, err = root.Open("."); err != nil {
		_ = root.Close()
		return nil, errs.E(op, errs.Internal, "", err)
	}
	if err := syscall.Flock(int(s.dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = s.Close()
		return nil, errs.E(op, errs.Busy, "The image directory is in use by another process.", err)
	}
	if err := s.recover(); err != nil {
		_ = s.Close()
		return nil, errs.E(op, errs.Internal, "", err)
	}
	return s, nil
}

// Close gives the directory back. Files that Open returned stay readable.
func (s *Store) Close() error {
	return errors.Join(s.dir.Close(), s.root.Close())
}

// recover removes temporary files and sums up the rest. Files that are not ours are left alone and don't count.
func (s *Store) recover() error {
	names, err := s.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix) {
			if err := s.root.Remove(name); err != nil {
				return err
			}
			continue
		}
		if size, ok, err := s.size(name); err != nil {
			return err
		} else if ok {
			s.used += size
		}
	}
	return nil
}

// names lists the directory through a descriptor of its own, since a directory's read position is shared state.
func (s *Store) names() ([]string, error) {
	d, err := s.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// size tells the size of a stored image; false if there is none of that name. Links and directories are no images.
func (s *Store) size(name string) (int64, bool, error) {
	if !validName(name) {
		return 0, false, nil
	}
	info, err := s.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return info.Size(), info.Mode().IsRegular(), nil
}

// Open gives an image's bytes and size. The file stays whole for its reader even if it's deleted meanwhile. The caller
// closes it. A name that isn't 64 lower-case hex digits gives Invalid, an absent image NotFound.
func (s *Store) Open(sha256 string) (*os.File, int64, error) {
	const op = "imagestore.Store.Open"
	if err := checkName(op, sha256); err != nil {
		return nil, 0, err
	}
	size, ok, err := s.size(sha256)
	if err != nil {
		return nil, 0, errs.E(op, errs.Internal, "", err)
	}
	if !ok {
		return nil, 0, notFound(op, sha256)
	}
	f, err := s.root.Open(sha256)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, notFound(op, sha256)
	}
	if err != nil {
		return nil, 0, errs.E(op, errs.Internal, "", err)
	}
	return f, size, nil
}

// Has tells whether the image is here. It doesn't read the bytes; Verify does.
func (s *Store) Has(sha256 string) bool {
	_, ok, err := s.size(sha256)
	return ok && err == nil
}

// Delete removes an image and gives its bytes back to the limit. An absent image is success.
func (s *Store) Delete(sha256 string) error {
	const op = "imagestore.Store.Delete"
	if err := checkName(op, sha256); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	size, ok, err := s.size(sha256)
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	if !ok {
		return nil
	}
	if err := s.root.Remove(sha256); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	s.used -= size
	if err := s.dir.Sync(); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	return nil
}

// List gives all images, sorted by name.
func (s *Store) List() ([]Entry, error) {
	const op = "imagestore.Store.List"
	names, err := s.names()
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	slices.Sort(names)
	var entries []Entry
	for _, name := range names {
		size, ok, err := s.size(name)
		if err != nil {
			return nil, errs.E(op, errs.Internal, "", err)
		}
		if ok {
			entries = append(entries, Entry{SHA256: name, Size: size})
		}
	}
	return entries, nil
}

// Usage tells the bytes in use, unfinished puts included, and the limit (0 means none).
func (s *Store) Usage() (used, limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used, s.limit
}

// Verify reads an image again and compares its hash with its name. ErrCorrupt is in the chain of a mismatch.
func (s *Store) Verify(ctx context.Context, name string) error {
	const op = "imagestore.Store.Verify"
	f, _, err := s.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, contextReader{ctx, f}, make([]byte, chunk)); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != name {
		return errs.E(op, errs.Internal, fmt.Sprintf("Image data %s is damaged on this node.", name),
			fmt.Errorf("%w: they have %s", ErrCorrupt, got))
	}
	return nil
}

// validName tells whether a name is a SHA-256 in lower-case hex.
func validName(name string) bool {
	if len(name) != sha256.Size*2 {
		return false
	}
	return strings.Trim(name, "0123456789abcdef") == ""
}

func checkName(op, name string) error {
	if validName(name) {
		return nil
	}
	return errs.E(op, errs.Invalid, "The name of image data must be a SHA-256 in lower-case hex.", nil)
}

func notFound(op, name string) error {
	return errs.E(op, errs.NotFound, fmt.Sprintf("Image data %s is not stored on this node.", name), nil)
}
