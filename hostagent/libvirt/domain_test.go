package libvirt

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"libvirt.org/go/libvirtxml"
	"pgregory.net/rapid"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
)

var update = flag.Bool("update", false, "write golden files instead of comparing")

func TestDomainXML_Golden(t *testing.T) {
	kvm := testPlatform()
	kvm.Type, kvm.Cache = KVM, "writethrough"
	arm := kvm
	arm.Arch = "aarch64"
	bare := Platform{Type: QEMU, Arch: archX86, Dir: "/i/" + testID, Cache: "none", NoSecurityLabel: true}

	rich := withLinks(testSpec(), 2)
	rich.Guest.VCPUs, rich.Guest.RAM, rich.Guest.Disk = 4, 8192, 40
	rich.Guest.Name = `<&"'> ünï 日本`
	iso := testSpec()
	iso.Guest.Image.Format = "iso"
	isoDisk := iso
	isoDisk.Guest.Disk = 10
	ownLine := withKernel(testSpec())
	ownLine.Guest.CommandLine = `root=/dev/vda1 quiet a="<b>"`
	raw := testSpec()
	raw.Guest.Image.Format = "raw"

	for _, c := range []struct {
		name string
		spec hostagent.Spec
		p    Platform
	}{
		{"minimal", testSpec(), bare},
		{"rich", rich, testPlatform()},
		{"rich-kvm", rich, kvm},
		{"arm-kvm", rich, arm},
		{"raw", raw, testPlatform()},
		{"kernel", withKernel(testSpec()), testPlatform()},
		{"kernel-kvm", withKernel(testSpec()), kvm},
		{"kernel-line", ownLine, testPlatform()},
		{"iso", iso, testPlatform()},
		{"iso-disk", isoDisk, testPlatform()},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DomainXML(c.spec, c.p)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.name+".xml", got)
			validate(t, got)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update if that is meant. Got:\n%s", path, got)
	}
}

// validate asks libvirt's own schema.
func validate(t *testing.T, text string) {
	t.Helper()
	for _, tool := range []string{"virt-xml-validate", "xmllint"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("not validated: %v", err)
			return
		}
	}
	file := filepath.Join(t.TempDir(), "domain.xml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("virt-xml-validate", file, "domain").CombinedOutput()
	if err != nil {
		t.Errorf("libvirt's schema refuses it: %v\n%s", err, bytes.ReplaceAll(out, []byte(file), []byte("domain.xml")))
	}
}

func TestDomainXML_Refuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		kind  errs.Kind
		spoil func(*hostagent.Spec)
	}{
		{"no id", errs.Invalid, func(s *hostagent.Spec) { s.Guest.ID = "" }},
		{"path as id", errs.Invalid, func(s *hostagent.Spec) { s.Guest.ID = "../../etc" }},
		{"id in capitals", errs.Invalid, func(s *hostagent.Spec) { s.Guest.ID = strings.ToUpper(testID) }},
		{"id and newline", errs.Invalid, func(s *hostagent.Spec) { s.Guest.ID += "\n" }},
		{"no number", errs.Invalid, func(s *hostagent.Spec) { s.Guest.Num = 0 }},
		{"no cpus", errs.Invalid, func(s *hostagent.Spec) { s.Guest.VCPUs = 0 }},
		{"no memory", errs.Invalid, func(s *hostagent.Spec) { s.Guest.RAM = 0 }},
		{"negative disk", errs.Invalid, func(s *hostagent.Spec) { s.Guest.Disk = -1 }},
		{"huge disk", errs.Invalid, func(s *hostagent.Spec) { s.Guest.Disk = 1 << 40 }},
		{"newline in command line", errs.Invalid, func(s *hostagent.Spec) { s.Guest.CommandLine = "a\nb" }},
		{"long command line", errs.Invalid, func(s *hostagent.Spec) { s.Guest.CommandLine = strings.Repeat("a", 2049) }},
		{"kernel not cached", errs.Invalid, func(s *hostagent.Spec) { s.KernelFile = "" }},
		{"kernel not asked for", errs.Invalid, func(s *hostagent.Spec) { s.Guest.Kernel = nil }},
		{"no image", errs.Invalid, func(s *hostagent.Spec) { s.ImageFile = "" }},
		{"relative image", errs.Invalid, func(s *hostagent.Spec) { s.ImageFile = "images/aa" }},
		{"ramdisk as root", errs.Invalid, func(s *hostagent.Spec) { s.Guest.Image.Format = "ari" }},
		{"vmdk", errs.Unsupported, func(s *hostagent.Spec) { s.Guest.Image.Format = "vmdk" }},
		{"no format", errs.Unsupported, func(s *hostagent.Spec) { s.Guest.Image.Format = "" }},
		{"link missing", errs.Invalid, func(s *hostagent.Spec) { s.Links = nil }},
		{"multicast mac", errs.Invalid, func(s *hostagent.Spec) { s.Links[0].MAC = "01:00:5e:00:00:01" }},
		{"long mac", errs.Invalid, func(s *hostagent.Spec) { s.Links[0].MAC = "00:00:5e:00:53:01:00:02" }},
		{"long tap", errs.Invalid, func(s *hostagent.Spec) { s.Links[0].Tap = "abcdefghijklmnop" }},
		{"tap with slash", errs.Invalid, func(s *hostagent.Spec) { s.Links[0].Tap = "a/b" }},
		{"tap that libvirt renames", errs.Invalid, func(s *hostagent.Spec) { s.Links[0].Tap = "vnet3" }},
		{"bridge with quote", errs.Invalid, func(s *hostagent.Spec) { s.Links[0].Bridge = `"/><x` }},
		{"mtu", errs.Invalid, func(s *hostagent.Spec) { s.Links[0].MTU = 70000 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := withLinks(withKernel(testSpec()), 1)
			if _, err := DomainXML(spec, testPlatform()); err != nil {
				t.Fatal("refused before it was spoiled:", err)
			}
			c.spoil(&spec)
			if _, err := DomainXML(spec, testPlatform()); !errs.Is(err, c.kind) {
				t.Errorf("got %v, want the kind %v", err, c.kind)
			}
		})
	}
}

// hostile draws text with everything that could end an element or attribute.
func hostile(t *rapid.T, label string) string {
	pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
		`"`, `'`, `<`, `>`, `&`, `]]>`, `<!--`, `-->`, `<disk type='file'>`, `</kvorum:name>`, `</metadata>`, "\n",
		"\r", "\t", "\x00", "\x1b", "\xff", "\ufffe", "日本", "&amp;", "<![CDATA[", "${x}", "`id`", "a", " ", ",file=/etc/shadow",
	}), 0, 30).Draw(t, label)
	return strings.Join(pieces, "") + rapid.String().Draw(t, label+" tail")
}

// Whatever strings a user chooses, the domain has the same devices, and the
// strings come back as they were cleaned.
func TestDomainXML_NothingIsInjected(t *testing.T) {
	plain := parse(t, withKernel(testSpec()))
	rapid.Check(t, func(rt *rapid.T) {
		spec := withKernel(testSpec())
		g := &spec.Guest
		g.Name, g.ProjectID = hostile(rt, "name"), hostile(rt, "project")
		g.Flavor, g.CommandLine = hostile(rt, "flavor"), hostile(rt, "line")
		if _, err := DomainXML(spec, testPlatform()); err != nil {
			if !strings.ContainsFunc(g.CommandLine, isControl) && utf8.ValidString(g.CommandLine) && len(g.CommandLine) <= maxCommandLine {
				rt.Fatal("refused:", err)
			}
			g.CommandLine = cleanText(strings.Map(func(r rune) rune {
				if isControl(r) {
					return ' '
				}
				return r
			}, g.CommandLine))
		}
		dom := parse(rt, spec)
		m, err := decodeMark(dom.Metadata.XML)
		if err != nil {
			rt.Fatal(err)
		}
		want := readMark{ID: testID, Num: 42, Permit: 1017, Name: cleanText(g.Name), Project: cleanText(g.ProjectID), Flavor: cleanText(g.Flavor)}
		if m != want {
			rt.Fatalf("metadata came back as %+v, want %+v", m, want)
		}
		if line := commandLine(cleanedLine(g.CommandLine), testPlatform()); dom.OS.Cmdline != line {
			rt.Fatalf("command line came back as %q, want %q", dom.OS.Cmdline, line)
		}
		dom.Metadata, dom.OS.Cmdline = plain.Metadata, plain.OS.Cmdline
		if text(rt, dom) != text(rt, plain) {
			rt.Fatalf("the strings changed the domain:\n%s", text(rt, dom))
		}
	})
}

// cleanedLine is a command line as XML can say it.
func cleanedLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !inXML(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

type fataler interface{ Fatal(...any) }

func parse(t fataler, spec hostagent.Spec) libvirtxml.Domain {
	var dom libvirtxml.Domain
	s, err := DomainXML(spec, testPlatform())
	if err == nil {
		err = dom.Unmarshal(s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dom
}

func text(t fataler, dom libvirtxml.Domain) string {
	s, err := dom.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMark_AsLibvirtGivesItBack(t *testing.T) {
	want := readMark{ID: testID, Num: 42, Permit: 1017, Name: "web-1", Project: "7c0ffee0", Flavor: "m1.nano"}
	own, err := encodeMark(testSpec())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		own,
		strings.ReplaceAll(strings.ReplaceAll(own, "kvorum:", ""), "xmlns:kvorum", "xmlns"),
	} {
		if got, err := decodeMark(s); err != nil || got != want {
			t.Errorf("%s\ngave %+v, %v", s, got, err)
		}
	}
	if _, err := decodeMark("<kvorum:guest id="); err == nil {
		t.Error("half an element was read")
	}
}
