package libvirt

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
)

func newStore(t *testing.T) *store {
	t.Helper()
	s, err := openStore(filepath.Join(t.TempDir(), "instances"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return s
}

// image makes an image file of a format and a virtual size.
func image(t *testing.T, format, size string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image."+format)
	run(t, "qemu-img", "create", "-q", "-f", format, path, size)
	return path
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// diskFacts is what qemu-img sees of a disk.
type diskFacts struct {
	Size    int64  `json:"virtual-size"`
	Format  string `json:"format"`
	Base    string `json:"backing-filename"`
	BaseFmt string `json:"backing-filename-format"`
}

func facts(t *testing.T, s *store) diskFacts {
	t.Helper()
	var f diskFacts
	out := run(t, "qemu-img", "info", "-f", "qcow2", "--output=json", filepath.Join(s.folder(testID), diskFile))
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func specOf(format, image string, gib int) hostagent.Spec {
	s := testSpec()
	s.Guest.Image.Format, s.ImageFile, s.Guest.Disk = format, image, gib
	return s
}

func TestEnsure_MakesTheDisk(t *testing.T) {
	for _, c := range []struct {
		name, format, imageFormat, imageSize string
		gib                                  int
		cut, size                            int64
	}{
		{"qcow2 as large as the image", "qcow2", "qcow2", "20M", 0, 0, 20 << 20},
		{"qcow2 grown", "qcow2", "qcow2", "20M", 3, 0, 3 << 30},
		{"qcow2 that just fits", "qcow2", "qcow2", "1G", 1, 0, 1 << 30},
		{"raw", "raw", "raw", "20M", 1, 0, 1 << 30},
		{"ami", "ami", "raw", "20M", 0, 0, 20 << 20},
		{"raw of half a sector", "raw", "raw", "20M", 0, 19<<20 + 256, 19<<20 + 512},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, img := newStore(t), image(t, c.imageFormat, c.imageSize)
			if c.cut != 0 {
				if err := os.Truncate(img, c.cut); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.ensure(context.Background(), specOf(c.format, img, c.gib), false); err != nil {
				t.Fatal(err)
			}
			want := diskFacts{Size: c.size, Format: "qcow2", Base: img, BaseFmt: c.imageFormat}
			if got := facts(t, s); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			run(t, "qemu-img", "check", "-q", "-f", "qcow2", filepath.Join(s.folder(testID), diskFile))
		})
	}
}

func TestEnsure_ISO(t *testing.T) {
	img := image(t, "raw", "1M")
	s := newStore(t)
	if err := s.ensure(context.Background(), specOf("iso", img, 0), false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.folder(testID), diskFile)); !os.IsNotExist(err) {
		t.Error("a guest without a disk has one:", err)
	}
	if err := s.ensure(context.Background(), specOf("iso", img, 2), false); err != nil {
		t.Fatal(err)
	}
	if got, want := facts(t, s), (diskFacts{Size: 2 << 30, Format: "qcow2"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEnsure_KeepsWhatIsThere(t *testing.T) {
	ctx := context.Background()
	s, img := newStore(t), image(t, "qcow2", "20M")
	spec := specOf("qcow2", img, 1)
	if err := s.ensure(ctx, spec, false); err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(s.folder(testID), diskFile)
	run(t, "qemu-io", "-f", "qcow2", "-c", "write -q -P 7 0 64k", disk)
	if err := os.WriteFile(filepath.Join(s.folder(testID), consoleFile), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec.Guest.Disk = 5 // not this call's business
	if err := s.ensure(ctx, spec, false); err != nil {
		t.Fatal(err)
	}
	run(t, "qemu-io", "-f", "qcow2", "-c", "read -q -P 7 0 64k", disk)
	if b, err := s.tail(testID, 100); err != nil || string(b) != "hello" {
		t.Errorf("the console log became %q, %v", b, err)
	}

	// The same bytes elsewhere: written down, unless somebody uses the disk.
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(img, moved); err != nil {
		t.Fatal(err)
	}
	spec.ImageFile = moved
	if err := s.ensure(ctx, spec, true); err != nil {
		t.Fatal(err)
	}
	if got := facts(t, s).Base; got != img {
		t.Errorf("a used disk was moved to %s", got)
	}
	if err := s.ensure(ctx, spec, false); err != nil {
		t.Fatal(err)
	}
	if got := facts(t, s).Base; got != moved {
		t.Errorf("the disk lies over %s, want %s", got, moved)
	}
	run(t, "qemu-io", "-f", "qcow2", "-c", "read -q -P 7 0 64k", disk)

	// Other bytes: never.
	spec.Guest.Image.SHA256 = "other"
	if err := s.ensure(ctx, spec, false); !errs.Is(err, errs.Conflict) {
		t.Errorf("a disk was put over another image: %v", err)
	}
}

func TestEnsure_AfterACut(t *testing.T) {
	ctx := context.Background()
	s, img := newStore(t), image(t, "qcow2", "20M")
	spec := specOf("qcow2", img, 1)
	dir := s.folder(testID)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	// Cut off after the description and half a disk were written.
	for _, f := range []string{diskFile + tmpSuffix, infoFile, infoFile + tmpSuffix} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("{half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ensure(ctx, spec, false); err != nil {
		t.Fatal(err)
	}
	if got := facts(t, s).Size; got != 1<<30 {
		t.Errorf("size %d", got)
	}
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o711 {
		t.Errorf("the folder's mode is %v, %v: QEMU's user cannot pass", st.Mode(), err)
	}
	// A disk without a description could lie over anything.
	if err := os.Remove(filepath.Join(dir, infoFile)); err != nil {
		t.Fatal(err)
	}
	if err := s.ensure(ctx, spec, false); !errs.Is(err, errs.Conflict) {
		t.Errorf("an unknown disk was taken: %v", err)
	}
}

func TestEnsure_RefusesImages(t *testing.T) {
	patch := func(at int, b ...byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt(b, int64(at)); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	huge := binary.BigEndian.AppendUint64(nil, 1<<62)
	negative := binary.BigEndian.AppendUint64(nil, 1<<63)
	for _, c := range []struct {
		name, format string
		gib          int
		spoil        func(*testing.T, string)
		says         string
	}{
		{"over another file", "qcow2", 0, patch(8, 0, 0, 0, 0, 0, 0, 1, 0), "lies over another file"},
		{"external data file", "qcow2", 0, patch(79, 4), "in another file"},
		{"unknown feature", "qcow2", 0, patch(72, 128), "in another file"},
		{"encrypted", "qcow2", 0, patch(35, 2), "encrypted"},
		{"version 9", "qcow2", 0, patch(7, 9), "unknown version"},
		{"huge", "qcow2", 0, patch(24, huge...), "impossible"},
		{"negative", "qcow2", 0, patch(24, negative...), "impossible"},
		{"empty disk", "qcow2", 0, patch(24, 0, 0, 0, 0, 0, 0, 0, 0), "impossible"},
		{"clusters of 2^63", "qcow2", 0, patch(23, 63), "impossible"},
		{"not qcow2", "qcow2", 0, patch(0, 'x'), "said to be"},
		{"cut off", "qcow2", 0, func(t *testing.T, p string) { _ = os.Truncate(p, 80) }, "cut-off"},
		{"empty file", "raw", 0, func(t *testing.T, p string) { _ = os.Truncate(p, 0) }, "impossible"},
		{"larger than the flavor", "qcow2", 1, func(*testing.T, string) {}, "flavor's disk is smaller than the image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, img := newStore(t), image(t, "qcow2", "2G")
			c.spoil(t, img)
			err := s.ensure(context.Background(), specOf(c.format, img, c.gib), false)
			if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Message(err), c.says) {
				t.Errorf("got %v, want a refusal that says %q", err, c.says)
			}
			if _, err := os.Stat(filepath.Join(s.folder(testID), diskFile)); !os.IsNotExist(err) {
				t.Error("a disk was made")
			}
		})
	}
}

// Data of one guest never comes to another through a raw disk's header: the
// format is the one that was said, whatever the bytes look like.
func TestEnsure_RawIsNotProbed(t *testing.T) {
	s, img := newStore(t), image(t, "qcow2", "1G") // a small file that looks like a large disk
	st, err := os.Stat(img)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ensure(context.Background(), specOf("raw", img, 0), false); err != nil {
		t.Fatal(err)
	}
	if got := facts(t, s); got.Size != (st.Size()+511)/512*512 || got.BaseFmt != "raw" {
		t.Errorf("a raw image was taken for another: %+v", got)
	}
}

func TestEnsure_CutOff(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := newStore(t)
	err := s.ensure(ctx, specOf("qcow2", image(t, "qcow2", "20M"), 1), false)
	if !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
}

func TestRemove_LeavesNothing(t *testing.T) {
	s := newStore(t)
	if err := s.ensure(context.Background(), specOf("qcow2", image(t, "qcow2", "20M"), 1), false); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(s.dir, "lost+found")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		if err := s.remove(testID); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(s.dir)
	if err != nil || len(left) != 1 || left[0].Name() != "lost+found" {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestTail(t *testing.T) {
	s := newStore(t)
	if b, err := s.tail(testID, 100); err != nil || len(b) != 0 {
		t.Errorf("a guest that never ran said %q, %v", b, err)
	}
	dir := s.folder(testID)
	if err := os.Mkdir(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{consoleFile: "789", consoleFile + ".0": "456", consoleFile + ".1": "123"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int]string{-1: "", 0: "", 2: "89", 3: "789", 4: "6789", 8: "23456789", 100: "123456789"} {
		if got, err := s.tail(testID, limit); err != nil || string(got) != want {
			t.Errorf("tail of %d is %q, %v; want %q", limit, got, err, want)
		}
	}
	// A link leads nowhere outside.
	if err := os.Remove(filepath.Join(dir, consoleFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, consoleFile)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.tail(testID, 100); err == nil {
		t.Errorf("a link was followed: %q", got)
	}
}

func TestTrim_CutsUnderAWriter(t *testing.T) {
	s := newStore(t)
	if err := s.ensure(context.Background(), specOf("iso", image(t, "raw", "1M"), 0), false); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.folder(testID), consoleFile)
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	write := func(text string) {
		if _, err := w.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Repeat("a", 96) + "bbbb")
	if err := s.trimAll(100); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Size() != 100 {
		t.Errorf("a log within its bound was cut: %v, %v", st.Size(), err)
	}
	write("c")
	if err := s.trimAll(100); err != nil {
		t.Fatal(err)
	}
	write("d")
	if got, err := s.tail(testID, 1000); err != nil || string(got) != strings.Repeat("a", 20)+"bbbbcd" {
		t.Errorf("after the cut the log is %q, %v", got, err)
	}
	if st, err := os.Stat(path); err != nil || st.Size() != 1 {
		t.Errorf("the writer's file has %d bytes, %v", st.Size(), err)
	}
}

func TestClosedFolder(t *testing.T) {
	top := t.TempDir()
	if err := os.Chmod(filepath.Dir(top), 0o711); err != nil { // made 0700 by the test's framework
		t.Fatal(err)
	}
	inner := filepath.Join(top, "a", "b")
	if err := os.MkdirAll(inner, 0o711); err != nil {
		t.Fatal(err)
	}
	if got := closedFolder(inner); got != "" {
		t.Errorf("%s is said to be closed", got)
	}
	if err := os.Chmod(filepath.Join(top, "a"), 0o750); err != nil {
		t.Fatal(err)
	}
	if got, want := closedFolder(inner), filepath.Join(top, "a"); got != want {
		t.Errorf("closed is %q, want %q", got, want)
	}
}

func TestOptions(t *testing.T) {
	good := Options{InstancesDir: "/i/../i", Type: KVM, HostUUID: testID}
	o, err := good.withDefaults()
	if err != nil || o.URI != "qemu:///system" || o.InstancesDir != "/i" || o.ConsoleMax != 16<<20 || o.Clock == nil || o.Log == nil {
		t.Errorf("%+v, %v", o, err)
	}
	for name, spoil := range map[string]func(*Options){
		"relative":  func(o *Options) { o.InstancesDir = "i" },
		"none":      func(o *Options) { o.InstancesDir = "" },
		"control":   func(o *Options) { o.InstancesDir = "/a\nb" },
		"type":      func(o *Options) { o.Type = "xen" },
		"host uuid": func(o *Options) { o.HostUUID = "<x>" },
		"negative":  func(o *Options) { o.ConsoleMax = -1 },
		"timeout":   func(o *Options) { o.CallTimeout = -1 },
	} {
		bad := good
		spoil(&bad)
		if _, err := bad.withDefaults(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
