package libvirt

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// maxTail bounds one answer of Console, in bytes.
	maxTail = 8 << 20
	// maxBackups bounds how many rotated logs are looked for.
	maxBackups = 16
)

// ensureConsole makes an empty log, so that it belongs to root from the start.
func (s *store) ensureConsole(id string) error {
	f, err := s.root.OpenFile(filepath.Join(id, consoleFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// tail gives the last limit bytes of a guest's console, rotated logs included;
// a guest without a log has said nothing.
func (s *store) tail(id string, limit int) ([]byte, error) {
	limit = max(0, min(limit, maxTail))
	name := filepath.Join(id, consoleFile)
	out, err := s.tailOf(name, limit)
	for i := 0; err == nil && i < maxBackups && len(out) < limit; i++ {
		var older []byte
		older, err = s.tailOf(name+"."+strconv.Itoa(i), limit-len(out))
		if err == nil && older == nil {
			break
		}
		out = append(older, out...)
	}
	if err != nil {
		return nil, errs.E("libvirt.console", errs.Internal, "the guest's console log cannot be read", err)
	}
	return out, nil
}

// tailOf gives the end of one file; nil when there is none.
func (s *store) tailOf(name string, limit int) ([]byte, error) {
	f, err := s.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	from := max(0, st.Size()-int64(limit))
	// The file may grow or be cut meanwhile: no more than limit, and an early
	// end is no error.
	b, err := io.ReadAll(io.NewSectionReader(f, from, int64(limit)))
	if b == nil {
		b = []byte{}
	}
	return b, err
}

// trimAll cuts every console log that is longer than limit bytes to its last
// quarter. What the guest writes during the cut may be lost.
func (s *store) trimAll(limit int64) error {
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return diskError("libvirt.trimConsoles", err)
	}
	var all []error
	for _, e := range entries {
		if e.IsDir() && uuidShape.MatchString(e.Name()) {
			all = append(all, s.trim(filepath.Join(e.Name(), consoleFile), limit))
		}
	}
	return diskError("libvirt.trimConsoles", errors.Join(all...))
}

func (s *store) trim(name string, limit int64) error {
	st, err := s.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (st.Size() <= limit || !st.Mode().IsRegular()) {
		return nil
	}
	if err != nil {
		return err
	}
	kept, err := s.tailOf(name, int(min(limit/4, maxTail)))
	if err != nil {
		return err
	}
	// The writer has the file open to append, so it must stay the same file.
	if err := s.root.WriteFile(name+".0"+tmpSuffix, kept, 0o600); err != nil {
		return err
	}
	if err := s.root.Rename(name+".0"+tmpSuffix, name+".0"); err != nil {
		return err
	}
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
