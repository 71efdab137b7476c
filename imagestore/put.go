package imagestore

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"syscall"

	"github.com/kvorum/kvorum/internal/errs"
)

// chunk is how much is read, hashed and written at a time, in bytes.
const chunk = 256 << 10

// Blob describes stored bytes. The hashes are lower-case hex. MD5 is there only because image clients compare it.
type Blob struct {
	SHA256, SHA512, MD5 string
	Size                int64
}

// Put stores what r gives and tells its hashes. Nobody has judged the bytes yet: see Check. It reads each byte once, writes to a temporary file, syncs it and only
// then gives it its name. Putting bytes that are here already is success and replaces the file, which heals a damaged
// one.
//
// limit bounds these bytes (0 means no bound of their own) and gives TooLarge; the store's limit and a full disk
// give Unavailable. An error of r or of ctx comes back wrapped, and nothing is left behind.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (Blob, error) {
	return s.put(ctx, r, limit, func(Blob) error { return nil })
}

// PutExpect stores bytes whose hash is known, as a replica does. Other bytes are refused with Conflict before they get
// a name. At most one byte more than the expected size is read.
func (s *Store) PutExpect(ctx context.Context, r io.Reader, want Entry) error {
	const op = "imagestore.Store.PutExpect"
	if err := checkName(op, want.SHA256); err != nil {
		return err
	}
	check := func(got Blob) error {
		if got.Size != want.Size || got.SHA256 != want.SHA256 {
			return errs.E(op, errs.Conflict, fmt.Sprintf("The bytes received are not those of image data %s.", want.SHA256),
				fmt.Errorf("got %d bytes with SHA-256 %s, want %d bytes", got.Size, got.SHA256, want.Size))
		}
		return nil
	}
	// One byte more than wanted is enough to see that the source goes on.
	_, err := s.put(ctx, io.LimitReader(r, want.Size+1), 0, check)
	return err
}

func (s *Store) put(ctx context.Context, r io.Reader, limit int64, accept func(Blob) error) (Blob, error) {
	const op = "imagestore.Store.Put"
	temp, err := s.newTemp()
	if err != nil {
		return Blob{}, diskError(op, err)
	}
	blob, err := temp.fill(contextReader{ctx, r}, limit)
	if err == nil {
		err = accept(blob)
	}
	if err == nil {
		err = temp.publish(blob.SHA256)
	}
	if err != nil {
		temp.discard()
		return Blob{}, errs.E(op, errs.Internal, "", err)
	}
	return blob, nil
}

// tempFile is one put under way. Its bytes count in Store.used as they are written.
type tempFile struct {
	store *Store
	name  string
	file  *os.File
	size  int64
}

func (s *Store) newTemp() (*tempFile, error) {
	s.mu.Lock()
	s.seq++
	name := fmt.Sprintf("%s%d%s", tempPrefix, s.seq, tempSuffix)
	s.mu.Unlock()
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &tempFile{store: s, name: name, file: f}, nil
}

// fill copies r to the file, counting and hashing, and syncs the file. Only io.EOF ends the image: an upload that was
// cut off (io.ErrUnexpectedEOF) is an error.
func (t *tempFile) fill(r io.Reader, limit int64) (Blob, error) {
	const op = "imagestore.Store.Put"
	h256, h512, h5 := sha256.New(), sha512.New(), md5.New()
	out := io.MultiWriter(h256, h512, h5, t.file)
	buf := make([]byte, chunk)
	for {
		n, readErr := r.Read(buf)
		if limit > 0 && t.size+int64(n) > limit {
			return Blob{}, errs.E(op, errs.TooLarge, fmt.Sprintf("The image is larger than %d bytes.", limit), nil)
		}
		if err := t.reserve(int64(n)); err != nil {
			return Blob{}, err
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return Blob{}, diskError(op, err)
		}
		if readErr == io.EOF {
			break
		}
		if readErr != nil {
			return Blob{}, readErr
		}
	}
	if err := t.file.Sync(); err != nil {
		return Blob{}, diskError(op, err)
	}
	return Blob{SHA256: sum(h256), SHA512: sum(h512), MD5: sum(h5), Size: t.size}, nil
}

// reserve counts n more bytes before they are written, so that puts at the same time can't pass the limit together.
func (t *tempFile) reserve(n int64) error {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit > 0 && s.used+n > s.limit {
		return errs.E("imagestore.Store.Put", errs.Unavailable, "The image store of this node is full.", nil)
	}
	s.used += n
	t.size += n
	return nil
}

// publish gives the synced file its name and makes the name durable. From the rename on the bytes belong to the store.
func (t *tempFile) publish(name string) error {
	const op = "imagestore.Store.Put"
	if err := t.file.Close(); err != nil {
		return diskError(op, err)
	}
	if err := t.rename(name); err != nil {
		return diskError(op, err)
	}
	if err := t.store.dir.Sync(); err != nil {
		return diskError(op, err)
	}
	return nil
}

// rename replaces a file of the same name. The lock keeps two puts of the same bytes from counting them twice.
func (t *tempFile) rename(name string) error {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	replaced, exists, err := s.size(name)
	if err != nil {
		return err
	}
	if err := s.root.Rename(t.name, name); err != nil {
		return err
	}
	if exists {
		s.used -= replaced
	}
	t.name, t.size = "", 0
	return nil
}

// discard removes what is left of a put that failed. What can't be removed now is removed by the next Open.
func (t *tempFile) discard() {
	_ = t.file.Close()
	if t.name != "" {
		_ = t.store.root.Remove(t.name)
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.store.used -= t.size
	t.size = 0
}

// diskError tells a full disk, which another node or a later try may not have, from a broken one.
func diskError(op string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errs.E(op, errs.Unavailable, "The disk of this node's image store is full.", err)
	}
	return errs.E(op, errs.Internal, "", err)
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// contextReader ends a copy when its context ends. It's looked at before each read; a read that blocks for ever is the
// source's to end.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
