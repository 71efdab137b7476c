package command

import (
	"encoding/hex"
	"strings"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ImageUpload says that an image's bytes are stored, and what they are; the
// image becomes active.
//
// Rules: the image is the actor's, waits for its bytes and has both formats;
// the hashes are lower-case hex and the sizes, in bytes, not negative.
type ImageUpload struct {
	ID          model.ImageID `json:"id"`
	SHA256      string        `json:"sha256"`
	SHA512      string        `json:"sha512"`
	MD5         string        `json:"md5"`
	Size        int64         `json:"size"`
	VirtualSize int64         `json:"virtual_size,omitempty"`
}

// Kind implements Command.
func (*ImageUpload) Kind() string { return "image.upload/1" }

// Apply implements Command.
func (c *ImageUpload) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "image.upload"
	old, err := findImage(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	if old.Status != model.ImageQueued {
		return nil, refuse(op, errs.Conflict, "Image status transition from %s to saving is not allowed", old.Status)
	}
	if old.DiskFormat == "" || old.ContainerFormat == "" {
		return nil, refuse(op, errs.Invalid, "Properties disk_format, container_format must be set prior to saving data.")
	}
	if !isHex(c.SHA256, 32) || !isHex(c.SHA512, 64) || !isHex(c.MD5, 16) {
		return nil, refuse(op, errs.Invalid, "the bytes are named by their SHA-256, SHA-512 and MD5 in lower-case hex")
	}
	if c.Size < 0 || c.VirtualSize < 0 {
		return nil, refuse(op, errs.Invalid, "sizes are not negative")
	}
	i := old.Clone()
	i.Status, i.UpdatedAt = model.ImageActive, m.At
	i.SHA256, i.SHA512, i.MD5, i.Size, i.VirtualSize = c.SHA256, c.SHA512, c.MD5, c.Size, c.VirtualSize
	tx.PutImage(i)
	return []string{string(i.ID)}, nil
}

// isHex tells whether s is n bytes in lower-case hex.
func isHex(s string, n int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == n && hex.EncodeToString(b) == s
}

func exampleImageUpload() *ImageUpload {
	return &ImageUpload{ID: "00000000-0000-4000-8000-0000000000d1", SHA256: strings.Repeat("25", 32), SHA512: strings.Repeat("51", 64),
		MD5: strings.Repeat("d5", 16), Size: 4096, VirtualSize: 1 << 20}
}

func workImageUpload(g Gen) (Command, By, bool) {
	i, by, ok := someImage(g)
	if !ok {
		return nil, by, false
	}
	h := g.Hex()
	return &ImageUpload{ID: i.ID, SHA256: h + h, SHA512: h + h + h + h, MD5: h, Size: int64(g.Intn(1 << 20)), VirtualSize: 1 << 20}, by, true
}
