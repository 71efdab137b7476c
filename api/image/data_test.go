package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
)

// qcow2 is a header of version 3 for a disk of 1 MiB, with a backing file if
// one is named.
func qcow2(backing string) string {
	b := make([]byte, 4<<16)
	copy(b, "QFI\xfb")
	be := binary.BigEndian
	be.PutUint32(b[4:], 3)
	if backing != "" {
		be.PutUint64(b[8:], 112)
		be.PutUint32(b[16:], uint32(len(backing)))
		copy(b[112:], backing)
	}
	be.PutUint32(b[20:], 16)
	be.PutUint64(b[24:], 1<<20)
	be.PutUint32(b[36:], 1)
	be.PutUint64(b[40:], 3<<16)
	be.PutUint64(b[48:], 1<<16)
	be.PutUint32(b[56:], 1)
	be.PutUint32(b[96:], 4)
	be.PutUint32(b[100:], 104)
	return string(b)
}

func TestUploadedBytesAreJudged(t *testing.T) {
	for _, tc := range []struct {
		name, format, data string
		status             int
		says               string
	}{
		{"raw", "raw", rawBytes, 204, ""},
		{"nothing", "raw", "", 204, ""},
		{"qcow2", "qcow2", qcow2(""), 204, ""},
		{"qcow2 with a backing file", "qcow2", qcow2("/etc/shadow"), 400, "qcow2 image is refused"},
		{"qcow2 declared as raw", "raw", qcow2(""), 400, "looks like qcow2"},
		{"raw declared as qcow2", "qcow2", rawBytes, 400, "declared as qcow2"},
		{"text declared as iso", "iso", rawBytes, 400, "no ISO 9660"},
		{"vmdk by name", "vmdk", rawBytes, 400, "not supported"},
		{"vmdk text declared as raw", "raw", "# Disk DescriptorFile\nversion=1\nRW 1 FLAT \"/etc/shadow\" 0\n", 400, "looks like vmdk"},
		{"too large", "raw", strings.Repeat("x", 1<<20+1), 413, "larger than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			path := r.image(member, `{"disk_format":"`+tc.format+`","container_format":"bare"}`)
			w := r.do(member, "PUT", path+"/file", tc.data, "Content-Type", octets)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.says) {
				t.Fatalf("%d %s; want %d with %q", w.Code, w.Body, tc.status, tc.says)
			}
			got := decode[struct{ Status string }](t, r.want(200, member, "GET", path, ""))
			want, files := "active", 1
			if tc.status != 204 {
				want, files = "queued", 0
			}
			if got.Status != want || r.blobs() != files {
				t.Errorf("status %s and %d files, want %s and %d", got.Status, r.blobs(), want, files)
			}
			if tc.status != 204 && tc.format == "raw" { // it may be tried again
				r.want(204, member, "PUT", path+"/file", rawBytes, "Content-Type", octets)
			}
		})
	}
}

// hidden hides a reader's length, so that it is not known in advance.
type hidden struct{ io.Reader }

func TestTooLargeWithoutALength(t *testing.T) {
	r := newRig(t)
	path := r.image(member, `{"disk_format":"raw","container_format":"bare"}`)
	w := r.call(member, "PUT", path+"/file", hidden{strings.NewReader(strings.Repeat("x", 1<<20+1))}, "Content-Type", octets)
	if w.Code != 413 || r.blobs() != 0 {
		t.Errorf("%d %s, %d files", w.Code, w.Body, r.blobs())
	}
}

// cut is a body whose client went away.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestACutUploadLeavesNothing(t *testing.T) {
	r := newRig(t)
	path := r.image(member, `{"disk_format":"raw","container_format":"bare"}`)
	w := r.call(member, "PUT", path+"/file", io.MultiReader(strings.NewReader("half"), cut{}), "Content-Type", octets)
	if w.Code != 400 || r.blobs() != 0 {
		t.Errorf("%d %s, %d files", w.Code, w.Body, r.blobs())
	}
}

func TestBytesLiveAsLongAsAnImageNamesThem(t *testing.T) {
	r := newRig(t)
	a, b := r.active(member, ""), r.active(stranger, "")
	if r.blobs() != 1 {
		t.Fatalf("%d files for equal bytes", r.blobs())
	}
	// Equal bytes that are refused elsewhere stay for those who have them.
	iso := r.image(member, `{"disk_format":"iso","container_format":"bare"}`)
	r.want(400, member, "PUT", iso+"/file", rawBytes, "Content-Type", octets)
	r.want(204, member, "DELETE", a, "")
	if w := r.want(200, stranger, "GET", b+"/file", ""); w.Body.String() != rawBytes {
		t.Error("the other image lost its bytes")
	}
	r.want(404, member, "GET", a, "")
	r.want(204, stranger, "DELETE", b, "")
	if r.blobs() != 0 {
		t.Errorf("%d files without an image", r.blobs())
	}
}

// TestASlowRefusedUploadTakesNoBytesAway is an attack: an upload that will be
// refused begins before another project's image gets the same bytes, and ends
// after.
func TestASlowRefusedUploadTakesNoBytesAway(t *testing.T) {
	r := newRig(t)
	iso := r.image(member, `{"disk_format":"iso","container_format":"bare"}`)
	in, out := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- r.call(member, "PUT", iso+"/file", in, "Content-Type", octets).Code
	}()
	if _, err := io.WriteString(out, rawBytes[:1]); err != nil { // its view is taken by now
		t.Fatal(err)
	}
	victim := r.active(stranger, "")
	if _, err := io.WriteString(out, rawBytes[1:]); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if code := <-done; code != 400 {
		t.Fatalf("the refused upload got %d", code)
	}
	if w := r.want(200, stranger, "GET", victim+"/file", ""); w.Body.String() != rawBytes {
		t.Error("the victim lost its bytes")
	}
}

// TestBytesHeldByAnUploadSurviveADelete: one image goes while another is about
// to get the same bytes.
func TestBytesHeldByAnUploadSurviveADelete(t *testing.T) {
	r := newRig(t)
	first := r.active(member, "")
	second := r.image(stranger, `{"disk_format":"raw","container_format":"bare"}`)
	r.propose = func(e command.Envelope) error {
		if _, ok := e.Command.(*command.ImageUpload); ok {
			r.propose = nil
			r.want(204, member, "DELETE", first, "")
		}
		return nil
	}
	r.want(204, stranger, "PUT", second+"/file", rawBytes, "Content-Type", octets)
	if w := r.want(200, stranger, "GET", second+"/file", ""); w.Body.String() != rawBytes {
		t.Error("the second image has no bytes")
	}
}

func TestAnUnknownOutcomeKeepsTheBytes(t *testing.T) {
	r := newRig(t)
	path := r.image(member, `{"disk_format":"raw","container_format":"bare"}`)
	r.propose = func(command.Envelope) error {
		return errs.Errorf("rig", errs.Unknown, "The leader went away.")
	}
	if w := r.want(503, member, "PUT", path+"/file", rawBytes, "Content-Type", octets); w.Header().Get("X-Outcome") != "unknown" {
		t.Errorf("headers: %v", w.Header())
	}
	if r.blobs() != 1 {
		t.Error("bytes that an image may have by now are gone")
	}
	r.propose = func(command.Envelope) error { return errs.Errorf("rig", errs.Conflict, "refused") }
	r.want(409, member, "PUT", path+"/file", rawBytes, "Content-Type", octets)
	if r.blobs() != 0 {
		t.Error("refused bytes are still there")
	}
}

func TestDownload(t *testing.T) {
	r := newRig(t)
	path := r.active(member, "")
	w := r.want(200, reader, "GET", path+"/file", "")
	if w.Body.String() != rawBytes {
		t.Errorf("%d bytes", w.Body.Len())
	}
	queued := r.image(member, `{}`)
	r.want(204, member, "GET", queued+"/file", "")
	for _, tc := range []struct {
		header, body, content string
		status                int
	}{
		{"bytes=0-5", rawBytes[:6], "bytes 0-5/600", 206},
		{"bytes=594-", rawBytes[594:], "bytes 594-599/600", 206},
		{"bytes=-6", rawBytes[594:], "bytes 594-599/600", 206},
		{"bytes=-1000", rawBytes, "bytes 0-599/600", 206},
		{"bytes=590-1000", rawBytes[590:], "bytes 590-599/600", 206},
		{"bytes=600-", "", "bytes */600", 416},
		{"bytes=-0", "", "bytes */600", 416},
		{"bytes=5-1", rawBytes, "", 200},
		{"bytes=a-b", rawBytes, "", 200},
		{"bytes=+1-2", rawBytes, "", 200},
		{"bytes=0-1,3-4", rawBytes, "", 200},
		{"lines=1-2", rawBytes, "", 200},
		{"bytes=-", rawBytes, "", 200},
		{"bytes=99999999999999999999-", rawBytes, "", 200},
	} {
		w := r.want(tc.status, member, "GET", path+"/file", "", "Range", tc.header)
		if tc.status != 416 && w.Body.String() != tc.body || w.Header().Get("Content-Range") != tc.content {
			t.Errorf("%s: %d bytes, %s", tc.header, w.Body.Len(), w.Header().Get("Content-Range"))
		}
		if hasSum := w.Header().Get("Content-MD5") != ""; hasSum != (tc.status == 200) {
			t.Errorf("%s: Content-MD5 is %q", tc.header, w.Header().Get("Content-MD5"))
		}
	}
	if w := r.want(200, member, "GET", path+"/file", "", "Range", "bytes=0-1", "If-Range", `"x"`); w.Body.Len() != 600 {
		t.Errorf("with If-Range: %d bytes", w.Body.Len())
	}
}

func TestBytesOnAnotherNode(t *testing.T) {
	r := newRig(t)
	path := r.active(member, "")
	all, err := r.store.List()
	if err = errors.Join(err, r.store.Delete(all[0].SHA256)); err != nil {
		t.Fatal(err)
	}
	r.want(503, member, "GET", path+"/file", "")
}

func TestKeeperForgetsSafely(t *testing.T) {
	r := newRig(t)
	blob, err := r.store.Put(t.Context(), bytes.NewReader([]byte(rawBytes)), 0)
	if err != nil {
		t.Fatal(err)
	}
	old := r.View()
	var k keeper
	k.hold(blob.SHA256)
	k.became(blob.SHA256, old.Index+1)
	k.release(blob.SHA256)
	for n := range maxNamed {
		k.hold("x")
		k.became(strings.Repeat("x", n), old.Index+2)
		k.release("x")
	}
	if len(k.named) > maxNamed || len(k.held) != 0 {
		t.Errorf("it remembers %d and holds %d", len(k.named), len(k.held))
	}
	if err := k.drop(r.store, old, blob.SHA256); err != nil || r.blobs() != 1 {
		t.Error("it forgot that the bytes have a name, and deleted them")
	}
}
