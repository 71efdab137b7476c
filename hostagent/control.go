package hostagent

import (
	"context"
	"io"

	"github.com/kvorum/kvorum/internal/assign"
)

// Control is the control plane as the agent uses it. Errors carry kinds; every
// call may be repeated.
type Control interface {
	// Register tells what the host offers.
	Register(ctx context.Context, capacity assign.Capacity) error
	// Desired waits a while for a desired state with another digest. If there
	// is none it answers one with the same digest, whose other fields may be
	// empty; an empty digest is answered at once. NotFound: the host is to be
	// registered first.
	Desired(ctx context.Context, digest string) (assign.Desired, error)
	// Report tells what changed. Guests that the control plane no longer knows
	// are to be ignored by it. Invalid, Conflict, TooLarge, Gone: the content is
	// refused for good; the agent then drops it, guest by guest.
	Report(ctx context.Context, report assign.Report) error
	// Image opens the bytes of an image. Whoever asked closes them. NotFound,
	// Gone, Forbidden, Invalid: there is no such image for this host, and the
	// guest fails with that; an image that is only not here yet is Unavailable.
	Image(ctx context.Context, sha256 string) (io.ReadCloser, error)
}
