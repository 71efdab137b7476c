package imagestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

// header builds a qcow2 of version 3, 64 KiB clusters and 1 GiB of disk, and lets the case spoil it.
func header(spoil func(b []byte)) []byte {
	b := make([]byte, 4<<16)
	copy(b, "QFI\xfb")
	set32, set64 := binary.BigEndian.PutUint32, binary.BigEndian.PutUint64
	set32(b[4:], 3)
	set32(b[20:], 16)
	set64(b[24:], 1<<30)
	set32(b[36:], 2)
	set64(b[40:], 3<<16)
	set64(b[48:], 1<<16)
	set32(b[56:], 1)
	set32(b[96:], 4)
	set32(b[100:], 104)
	if spoil != nil {
		spoil(b)
	}
	return b
}

func at32(offset int, v uint32) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint32(b[offset:], v) }
}

func at64(offset int, v uint64) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint64(b[offset:], v) }
}

func atText(offset int, s string) func([]byte) { return func(b []byte) { copy(b[offset:], s) } }

func all(spoils ...func([]byte)) func([]byte) {
	return func(b []byte) {
		for _, s := range spoils {
			s(b)
		}
	}
}

// snapshot puts one record into the third cluster and counts it in the header.
func snapshot(l1Offset uint64, l1Size uint32, extra uint32) func([]byte) {
	return func(b []byte) {
		at := 2 << 16
		all(at32(60, 1), at64(64, uint64(at)), at64(at, l1Offset), at32(at+8, l1Size), at32(at+36, extra))(b)
	}
}

var qcow2Cases = []struct {
	name  string
	spoil func([]byte)
	why   string // part of the message; empty means that the image is taken
}{
	{"plain", nil, ""},
	{"dirty", at64(72, 1), ""},
	{"version 2", all(at32(4, 2), at64(72, 0), at32(100, 0), at64(96, 0)), ""},
	{"zstd", all(at64(72, 8), at32(100, 112), atText(104, "\x01")), ""},
	{"unknown extension", all(at32(104, 0x12345678), at32(108, 5)), ""},
	{"snapshot", snapshot(3<<16, 2, 16), ""},
	{"version 1", at32(4, 1), "version"},
	{"version 4", at32(4, 4), "version"},
	{"tiny clusters", at32(20, 8), "cluster size"},
	{"huge clusters", at32(20, 22), "cluster size"},
	{"shift overflow", at32(20, 0xffffffff), "cluster size"},
	{"backing file", all(at64(8, 200), at32(16, 11), atText(200, "/etc/shadow")), "backing file"},
	{"backing size alone", at32(16, 11), "backing file"},
	{"backing file in version 2", all(at32(4, 2), at64(8, 1)), "backing file"},
	{"backing format", at32(104, 0xe2792aca), "backing file"},
	{"external data", at64(72, 4), "external"},
	{"external data by autoclear", at64(88, 2), "external"},
	{"external data by extension", at32(104, 0x44415441), "external"},
	{"external data after other extensions", all(at32(104, 1), at32(108, 9), at32(128, 0x44415441)), "external"},
	{"aes", at32(32, 1), "encrypted"},
	{"luks", at32(32, 2), "encrypted"},
	{"luks by extension", at32(104, 0x0537be77), "encrypted"},
	{"corrupt", at64(72, 2), "corrupt"},
	{"unknown feature", at64(72, 1<<5), "not known"},
	{"last feature", at64(72, 1<<63), "not known"},
	{"compression bit alone", at64(72, 8), "compression"},
	{"compression type alone", all(at32(100, 112), atText(104, "\x01")), "compression"},
	{"compression type 2", all(at64(72, 8), at32(100, 112), atText(104, "\x02")), "compression"},
	{"extended L2 in small clusters", all(at64(72, 16), at32(20, 12)), "cluster size"},
	{"short header", at32(100, 72), "header"},
	{"no header", at32(100, 0), "header"},
	{"endless header", at32(100, 0xfffffff8), "header"},
	{"no disk", at64(24, 0), "disk size"},
	{"eight exbibytes", at64(24, 1<<63-512), "disk size"},
	{"negative disk", at64(24, 1<<63), "disk size"},
	{"over the limit", at64(24, uint64(MaxVirtualSize)+1), "disk size"},
	{"L1 too small", at32(36, 1), "too small"},
	{"L1 of a million entries", at32(36, 1<<20), "absurdly large"},
	{"L1 of all entries", at32(36, 0xffffffff), "absurdly large"},
	{"L1 outside", at64(40, 4<<16), "L1 table is out"},
	{"L1 offset wraps", at64(40, 0xffffffffffff0000), "L1 table is out"},
	{"L1 not aligned", at64(40, 3<<16+8), "L1 table is out"},
	{"L1 in the header", at64(40, 0), "L1 table is out"},
	{"refcounts outside", at64(48, 1<<40), "reference count table"},
	{"no refcounts", at32(56, 0), "reference count table"},
	{"many refcounts", at32(56, 0xffffffff), "reference count table"},
	{"wide refcounts", at32(96, 7), "unknown width"},
	{"extension too long", all(at32(104, 1), at32(108, 0xffffffff)), "extensions are out"},
	{"snapshots outside", all(at32(60, 1), at64(64, 1<<40)), "snapshot table"},
	{"snapshots in the header", all(at32(60, 1), at64(64, 0)), "snapshot table"},
	{"many snapshots", all(at32(60, 0xffffffff), at64(64, 2<<16)), "too many snapshots"},
	{"snapshot's L1 outside", snapshot(1<<40, 2, 16), "snapshot's L1"},
	{"snapshot's L1 too large", snapshot(3<<16, 0xffffffff, 16), "snapshot's L1"},
	{"snapshot's long record", snapshot(3<<16, 2, 0xffffffff), "unknown form"},
	{"snapshot's names outside", all(at32(60, 1), at64(64, 3<<16), at32(3<<16+12, 0xffffffff)), "snapshot table"},
	{"also an ISO", atText(0x8001, "CD001"), "looks like iso"},
	{"also a boot sector", atText(510, "\x55\xaa"), "looks like mbr"},
	{"also GPT", atText(512, "EFI PART"), "looks like gpt"},
	{"also VDI", atText(0x40, "\x7f\x10\xda\xbe"), "looks like vdi"},
}

func TestCheckQCOW2(t *testing.T) {
	for _, c := range qcow2Cases {
		t.Run(c.name, func(t *testing.T) {
			b := header(c.spoil)
			info, err := Check("qcow2", bytes.NewReader(b), int64(len(b)))
			if c.why == "" {
				if want := (Info{Format: "qcow2", VirtualSize: 1 << 30}); err != nil || info != want {
					t.Fatalf("%+v, %v; want %+v", info, err, want)
				}
				return
			}
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v; want Invalid that says %q", err, c.why)
			}
		})
	}
}

// An image that ends anywhere in its header or tables is refused, and never panics.
func TestCheckQCOW2CutShort(t *testing.T) {
	whole := header(snapshot(3<<16, 2, 16))
	for _, n := range []int{0, 3, 4, 71, 72, 103, 104, 111, 1 << 16, 1<<16 + 1, 2 << 16, 2<<16 + 39, 3 << 16} {
		b := whole[:n]
		if _, err := Check("qcow2", bytes.NewReader(b), int64(n)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%d bytes: %v, want Invalid", n, err)
		}
	}
}

// place makes an image of 64 KiB with bytes at an offset (negative: from the end).
func place(offset int, s string) []byte {
	b := make([]byte, 64<<10)
	if offset < 0 {
		offset += len(b)
	}
	copy(b[offset:], s)
	return b
}

func TestCheckDeclared(t *testing.T) {
	foreign := map[string][]byte{
		"qcow2": place(0, "QFI\xfb"), "qed": place(0, "QED\x00"), "vmdk": place(0, "KDMV"), "esx": place(0, "COWD"),
		"vmdk text":    []byte("# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\nRW 1 FLAT \"/etc/shadow\" 0\n"),
		"vmdk text 2":  []byte("\n  \n# a comment\nversion=3\nRW 1 FLAT \"/etc/shadow\" 0\n"),
		"vmdk text 3":  []byte(" \t# DISK descriptorfile\n"),
		"dynamic vhd":  place(0, "conectix"),
		"fixed vhd":    place(-512, "conectix"),
		"old vhd":      place(-511, "conectix"),
		"vhdx":         place(0, "vhdxfile"),
		"vdi":          place(0x40, "\x7f\x10\xda\xbe"),
		"luks":         place(0, "LUKS\xba\xbe\x00\x02"),
		"parallels":    place(0, "WithoutFreeSpace"),
		"dmg":          place(-512, "koly"),
		"qcow2 in iso": append(place(0x8001, "CD001"), 0),
	}
	copy(foreign["qcow2 in iso"], "QFI\xfb")
	for name, b := range foreign {
		for _, declared := range []string{"raw", "iso", "ami", "aki", "ari"} {
			if info, err := Check(declared, bytes.NewReader(b), int64(len(b))); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s declared %s: %+v, %v; want Invalid", name, declared, info, err)
			}
		}
	}
	iso := place(0x8001, "CD001")
	hybrid := bytes.Clone(iso)
	copy(hybrid[510:], "\x55\xaaEFI PART")
	for name, c := range map[string]struct {
		declared string
		body     []byte
		ok       bool
	}{
		"zeros":                {"raw", make([]byte, 1000), true},
		"nothing":              {"raw", nil, true},
		"boot sector":          {"raw", place(510, "\x55\xaa"), true},
		"gpt":                  {"raw", place(510, "\x55\xaaEFI PART"), true},
		"iso in raw":           {"raw", iso, true},
		"iso":                  {"iso", iso, true},
		"hybrid iso":           {"iso", hybrid, true},
		"iso without a volume": {"iso", place(510, "\x55\xaa"), false},
		"kernel":               {"aki", place(510, "\x55\xaa\x00\x00HdrS"), true},
		"ramdisk":              {"ari", []byte("\x1f\x8b\x08rest"), true},
		"file system":          {"ami", place(0x438, "\x53\xef"), true},
		"raw called qcow2":     {"qcow2", make([]byte, 1000), false},
		"nothing called qcow2": {"qcow2", nil, false},
	} {
		info, err := Check(c.declared, bytes.NewReader(c.body), int64(len(c.body)))
		if want := (Info{Format: c.declared, VirtualSize: int64(len(c.body))}); c.ok && (err != nil || info != want) {
			t.Errorf("%s: %+v, %v; want %+v", name, info, err, want)
		}
		if !c.ok && !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}

func TestCheckUnsupported(t *testing.T) {
	for _, declared := range []string{"vmdk", "vhd", "vhdx", "vdi", "ploop", "qed", "", "RAW", strings.Repeat("x", 1<<20)} {
		_, err := Check(declared, bytes.NewReader(nil), 0)
		if !errs.Is(err, errs.Unsupported) || !strings.Contains(errs.Message(err), "raw, qcow2, iso, ami, aki, ari") || len(errs.Message(err)) > 200 {
			t.Errorf("%.10q: %.300v", declared, err)
		}
	}
}

// brokenDisk fails each read.
type brokenDisk struct{}

func (brokenDisk) ReadAt([]byte, int64) (int, error) { return 0, errors.New("input/output error") }

// A disk that can't be read is no verdict on the image.
func TestCheckReadError(t *testing.T) {
	for _, declared := range supported {
		if _, err := Check(declared, brokenDisk{}, 1<<20); !errs.Is(err, errs.Internal) {
			t.Errorf("%s: %v, want Internal", declared, err)
		}
	}
}

// The images that qemu-img itself makes. Where it isn't installed, the headers above stand alone.
func TestCheckQemuImages(t *testing.T) {
	qemu, err := exec.LookPath("qemu-img")
	if err != nil {
		t.Log("qemu-img is not installed: only hand-made headers are checked")
		return
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		for {
			cmd := exec.Command(qemu, args...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err == nil {
				return
			}
			// On a busy machine it cannot measure how long a key takes to derive.
			if !strings.Contains(string(out), "Unable to get accurate CPU usage") || t.Context().Err() != nil {
				t.Fatalf("qemu-img %v: %v\n%s", args, err, out)
			}
		}
	}
	run("create", "-f", "raw", "base.raw", "8M")
	for _, c := range []struct {
		declared string
		args     []string // a file name is the last word but one
		then     []string
		ok       bool
	}{
		{"qcow2", []string{"-f", "qcow2"}, nil, true},
		{"qcow2", []string{"-f", "qcow2", "-o", "compat=0.10"}, nil, true},
		{"qcow2", []string{"-f", "qcow2", "-o", "cluster_size=512"}, nil, true},
		{"qcow2", []string{"-f", "qcow2", "-o", "cluster_size=2M"}, nil, true},
		{"qcow2", []string{"-f", "qcow2", "-o", "extended_l2=on"}, nil, true},
		{"qcow2", []string{"-f", "qcow2", "-o", "lazy_refcounts=on,refcount_bits=1"}, nil, true},
		{"qcow2", []string{"-f", "qcow2", "-o", "compression_type=zstd"}, nil, true},
		{"qcow2", []string{"-f", "qcow2", "-o", "preallocation=metadata"}, nil, true},
		{"qcow2", []string{"-f", "qcow2"}, []string{"snapshot", "-c", "one"}, true},
		{"qcow2", []string{"-f", "qcow2"}, []string{"bitmap", "--add", "-f", "qcow2"}, true},
		{"qcow2", []string{"-f", "qcow2", "-b", "base.raw", "-F", "raw"}, nil, false},
		{"qcow2", []string{"-f", "qcow2", "-o", "data_file=other.raw"}, nil, false},
		{"qcow2", []string{"-f", "qcow2", "-o", "data_file=other.raw,data_file_raw=on"}, nil, false},
		{"qcow2", []string{"-f", "qcow2", "--object", "secret,id=s,data=x", "-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10"}, nil, false},
		{"raw", []string{"-f", "raw"}, nil, true},
		{"qcow2", []string{"-f", "raw"}, nil, false},
		{"raw", []string{"-f", "qcow2"}, nil, false},
		{"raw", []string{"-f", "qcow"}, nil, false},
		{"qcow2", []string{"-f", "qcow"}, nil, false},
		{"raw", []string{"-f", "qed"}, nil, false},
		{"raw", []string{"-f", "vmdk"}, nil, false},
		{"raw", []string{"-f", "vmdk", "-o", "subformat=monolithicFlat"}, nil, false},
		{"raw", []string{"-f", "vmdk", "-o", "subformat=streamOptimized"}, nil, false},
		{"raw", []string{"-f", "vpc"}, nil, false},
		{"raw", []string{"-f", "vpc", "-o", "subformat=fixed"}, nil, false},
		{"raw", []string{"-f", "vhdx"}, nil, false},
		{"raw", []string{"-f", "vdi"}, nil, false},
		{"raw", []string{"-f", "parallels"}, nil, false},
	} {
		name := c.declared + " " + strings.Join(append(c.args, c.then...), " ")
		t.Run(name, func(t *testing.T) {
			_ = os.Remove(filepath.Join(dir, "image"))
			run(append(append([]string{"create", "-q"}, c.args...), "image", "8M")...)
			if c.then != nil {
				args := append(append([]string{}, c.then...), "image")
				if c.then[0] == "bitmap" {
					args = append(args, "map")
				}
				run(args...)
			}
			checkFile(t, c.declared, filepath.Join(dir, "image"), c.ok)
		})
	}
}

func checkFile(t *testing.T, declared, name string, ok bool) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	info, err := Check(declared, f, stat.Size())
	if ok && (err != nil || info.VirtualSize != 8<<20) {
		t.Errorf("%+v, %v; want 8 MiB", info, err)
	}
	if !ok && !errs.Is(err, errs.Invalid) {
		t.Errorf("%+v, %v; want Invalid", info, err)
	}
}

// FuzzCheck changes the start of a file of 256 KiB (the rest is zeros) and the size that is claimed for it, which may be
// wrong, as in a record that doesn't belong to the file.
func FuzzCheck(f *testing.F) {
	for _, c := range qcow2Cases {
		f.Add(uint8(1), header(c.spoil)[:512], int64(4<<16))
	}
	f.Add(uint8(2), place(0x8001, "CD001")[:0x8100], int64(64<<10))
	f.Add(uint8(0), []byte("# Disk DescriptorFile\nversion=1\n"), int64(30))
	f.Add(uint8(0), []byte{}, int64(-1))
	f.Add(uint8(1), header(nil)[:512], int64(1<<62))
	f.Fuzz(func(t *testing.T, which uint8, start []byte, size int64) {
		body := make([]byte, 4<<16)
		copy(body, start)
		declared := supported[int(which)%len(supported)]
		info, err := Check(declared, bytes.NewReader(body), size)
		if err == nil && (info.Format != declared || info.VirtualSize < 0 || info.VirtualSize > MaxVirtualSize) {
			t.Errorf("%+v accepted as %s", info, declared)
		}
	})
}
