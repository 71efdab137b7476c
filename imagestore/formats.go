package imagestore

import (
	"bytes"
	"io"
	"slices"
)

// Format names the content of an image, as far as its bytes show it.
type Format string

// The formats that detection knows. Everything else is Raw.
const (
	Raw       Format = "raw"
	QCOW2     Format = "qcow2"
	QED       Format = "qed"
	VMDK      Format = "vmdk"
	VHD       Format = "vhd"
	VHDX      Format = "vhdx"
	VDI       Format = "vdi"
	LUKS      Format = "luks"
	Parallels Format = "parallels"
	Bochs     Format = "bochs"
	Cloop     Format = "cloop"
	DMG       Format = "dmg"
	ISO       Format = "iso"
	GPT       Format = "gpt"
	MBR       Format = "mbr"
)

// signature says where a format puts which bytes. A negative offset counts from the end.
type signature struct {
	format Format
	offset int64
	magic  string
}

// signatures is the whole of detection, but for VMDK's text form.
var signatures = []signature{
	{QCOW2, 0, "QFI\xfb"}, // also version 1, which is refused by its number
	{QED, 0, "QED\x00"},
	{VMDK, 0, "KDMV"},
	{VMDK, 0, "COWD"},
	{VHD, 0, "conectix"},
	{VHD, -512, "conectix"}, // a fixed VHD is raw bytes with a footer
	{VHD, -511, "conectix"}, // written so by old tools
	{VHDX, 0, "vhdxfile"},
	{VDI, 0x40, "\x7f\x10\xda\xbe"},
	{LUKS, 0, "LUKS\xba\xbe"},
	{Parallels, 0, "WithoutFreeSpace"},
	{Parallels, 0, "WithouFreSpacExt"},
	{Bochs, 0, "Bochs Virtual HD Image"},
	{Cloop, 0, "#!/bin/sh\n#V2.0 Format\nmodprobe cloop"},
	{DMG, -512, "koly"},
	{ISO, 0x8001, "CD001"},
	{GPT, 512, "EFI PART"},
	{GPT, 4096, "EFI PART"}, // disks with sectors of 4 KiB
	{MBR, 510, "\x55\xaa"},
}

// innocent are the formats that raw bytes may contain: a guest's firmware reads them, never a tool of the host.
var innocent = map[Format]bool{ISO: true, GPT: true, MBR: true}

// vmdkTextWindow is how much of the start is searched for a VMDK descriptor in text form, in bytes.
const vmdkTextWindow = 4 << 10

// detect names every format whose mark the bytes carry, each once. Bytes made to look like two formats name two.
func detect(src source) ([]Format, error) {
	var found []Format
	add := func(f Format) {
		if !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	for _, s := range signatures {
		offset := s.offset
		if offset < 0 {
			offset += src.size
		}
		got, ok, err := src.read(offset, len(s.magic))
		if err != nil {
			return nil, err
		}
		if ok && string(got) == s.magic {
			add(s.format)
		}
	}
	head, err := src.head(vmdkTextWindow)
	if err != nil {
		return nil, err
	}
	if isVMDKText(head) {
		add(VMDK)
	}
	return found, nil
}

// isVMDKText finds a VMDK descriptor that is a text file. Such a file names other files of the host, by any path. QEMU
// takes any text for one whose first line that is neither blank nor a comment is version=1, 2 or 3.
func isVMDKText(head []byte) bool {
	if bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(head)), []byte("# disk descriptorfile")) {
		return true
	}
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		return bytes.HasPrefix(bytes.ToLower(line), []byte("version="))
	}
	return false
}

// source is the bytes to judge. Its reads stay inside size.
type source struct {
	r    io.ReaderAt
	size int64
}

// read gives n bytes at an offset; false if they don't all lie inside.
func (s source) read(offset int64, n int) ([]byte, bool, error) {
	if offset < 0 || offset > s.size || int64(n) > s.size-offset {
		return nil, false, nil
	}
	buf := make([]byte, n)
	got, err := s.r.ReadAt(buf, offset)
	if got == n {
		return buf, true, nil
	}
	return nil, false, err
}

// head gives up to n bytes from the start.
func (s source) head(n int64) ([]byte, error) {
	b, _, err := s.read(0, int(min(n, max(s.size, 0))))
	return b, err
}
