package imagestore

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/kvorum/kvorum/internal/errs"
)

func open(t *testing.T, dir string, limit int64) *Store {
	t.Helper()
	s, err := Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t *testing.T, s *Store, body string) Blob {
	t.Helper()
	b, err := s.Put(context.Background(), strings.NewReader(body), 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// files lists the directory as it is, temporary files too.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func wantKind(t *testing.T, err error, kind errs.Kind) {
	t.Helper()
	if !errs.Is(err, kind) {
		t.Errorf("error %v, want kind %v", err, kind)
	}
}

func wantUsed(t *testing.T, s *Store, want int64) {
	t.Helper()
	if used, _ := s.Usage(); used != want {
		t.Errorf("used %d bytes, want %d", used, want)
	}
}

func TestPutOpenDelete(t *testing.T) {
	for _, body := range []string{"", "hello", strings.Repeat("kvorum ", chunk)} {
		t.Run(fmt.Sprint(len(body)), func(t *testing.T) {
			s := open(t, t.TempDir(), 0)
			got := put(t, s, body)
			want := Blob{
				SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(body))), SHA512: fmt.Sprintf("%x", sha512.Sum512([]byte(body))),
				MD5: fmt.Sprintf("%x", md5.Sum([]byte(body))), Size: int64(len(body)),
			}
			if got != want {
				t.Errorf("put gave %+v, want %+v", got, want)
			}
			f, size, err := s.Open(got.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if !s.Has(got.SHA256) || size != got.Size {
				t.Errorf("has %v, size %d", s.Has(got.SHA256), size)
			}
			if err := s.Delete(got.SHA256); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(got.SHA256); err != nil {
				t.Errorf("deleting what is gone: %v", err)
			}
			if b, err := io.ReadAll(f); err != nil || string(b) != body {
				t.Errorf("a reader lost the bytes to a delete: %d bytes, %v", len(b), err)
			}
			_, _, err = s.Open(got.SHA256)
			wantKind(t, err, errs.NotFound)
			wantUsed(t, s, 0)
		})
	}
}

func TestNamesLeadNowhere(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "store"), 0)
	hex := strings.Repeat("a", 64)
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "store", hex)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../secret", "/etc/passwd", strings.ToUpper(hex), hex[1:], hex + "a", hex[:61] + "/..",
		"put-1.tmp", hex[:63] + "\x00"} {
		_, _, err := s.Open(name)
		wantKind(t, err, errs.Invalid)
		wantKind(t, s.Delete(name), errs.Invalid)
		wantKind(t, s.Verify(context.Background(), name), errs.Invalid)
		wantKind(t, s.PutExpect(context.Background(), strings.NewReader(""), Entry{SHA256: name}), errs.Invalid)
		if s.Has(name) {
			t.Errorf("has %q", name)
		}
	}
	_, _, err := s.Open(hex)
	wantKind(t, err, errs.NotFound)
}

func TestFailedPutLeavesNothing(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	boom := errors.New("boom")
	for _, c := range []struct {
		name  string
		ctx   context.Context
		r     io.Reader
		limit int64
		kind  errs.Kind
	}{
		{"over its own limit", context.Background(), strings.NewReader("12345"), 4, errs.TooLarge},
		{"over the store's limit", context.Background(), strings.NewReader(strings.Repeat("x", 101)), 0, errs.Unavailable},
		{"the source breaks", context.Background(), io.MultiReader(strings.NewReader("12"), iotest.ErrReader(boom)), 0, errs.Internal},
		{"the upload is cut off", context.Background(), iotest.ErrReader(io.ErrUnexpectedEOF), 0, errs.Internal},
		{"the caller gave up", ended, strings.NewReader("12"), 0, errs.Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, 100)
			_, err := s.Put(c.ctx, c.r, c.limit)
			wantKind(t, err, c.kind)
			if left := files(t, dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			wantUsed(t, s, 0)
			put(t, s, strings.Repeat("y", 100)) // the whole limit is free again
		})
	}
}

func TestLimitCountsEachImageOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 20)
	for range 3 {
		put(t, s, "0123456789")
		wantUsed(t, s, 10)
	}
	_, err := s.Put(context.Background(), strings.NewReader("another 11b"), 0)
	wantKind(t, err, errs.Unavailable)
	put(t, s, "ten bytes!")
	wantUsed(t, s, 20)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantUsed(t, open(t, dir, 20), 20)
}

func TestConcurrentPutsOfTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	body := strings.Repeat("same", 100_000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Put(context.Background(), iotest.HalfReader(strings.NewReader(body)), 0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if names := files(t, dir); len(names) != 1 {
		t.Errorf("files %v, want one", names)
	}
	wantUsed(t, s, int64(len(body)))
}

func TestOpenRemovesWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	kept := put(t, s, "kept")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"put-1.tmp", "put-77.tmp", "README"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, dir, 0)
	put(t, s, "a name that was in use before the crash is free")
	if got := fmt.Sprint(files(t, dir)); strings.Contains(got, ".tmp") || !strings.Contains(got, "README") {
		t.Errorf("files %v: want no temporary file, and README untouched", got)
	}
	list, err := s.List()
	if err != nil || len(list) != 2 || !s.Has(kept.SHA256) {
		t.Errorf("list %v, %v", list, err)
	}
}

func TestOneOwner(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	_, err := Open(dir, 0)
	wantKind(t, err, errs.Busy)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, 0)
}

func TestVerifyAndHeal(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	b := put(t, s, "precious")
	if err := s.Verify(context.Background(), b.SHA256); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, b.SHA256), []byte("Precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(context.Background(), b.SHA256); !errors.Is(err, ErrCorrupt) {
		t.Errorf("verify: %v, want ErrCorrupt", err)
	}
	put(t, s, "precious")
	if err := s.Verify(context.Background(), b.SHA256); err != nil {
		t.Errorf("after putting it again: %v", err)
	}
	wantKind(t, s.Verify(context.Background(), strings.Repeat("0", 64)), errs.NotFound)
}

func TestPutExpect(t *testing.T) {
	good := []byte("replica")
	want := Entry{SHA256: fmt.Sprintf("%x", sha256.Sum256(good)), Size: int64(len(good))}
	for name, c := range map[string]struct {
		body []byte
		ok   bool
	}{
		"the bytes": {good, true}, "too few": {good[1:], false}, "too many": {append(bytes.Clone(good), '!'), false},
		"others of the same size": {[]byte("Replica"), false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, 0)
			err := s.PutExpect(context.Background(), bytes.NewReader(c.body), want)
			if c.ok && err != nil {
				t.Fatal(err)
			}
			if !c.ok {
				wantKind(t, err, errs.Conflict)
			}
			if s.Has(want.SHA256) != c.ok || len(files(t, dir)) != map[bool]int{true: 1}[c.ok] {
				t.Errorf("files %v", files(t, dir))
			}
		})
	}
}
