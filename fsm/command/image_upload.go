package command

import "github.com/kvorum/kvorum/internal/model"

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
