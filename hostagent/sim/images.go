package sim

import (
	"context"
	"sync"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
)

// Images are images without bytes: a host has one as soon as it is asked for.
// Fetch, if set before the first use, decides whether that works.
type Images struct {
	Fetch func(ctx context.Context, image assign.Image) error

	mu   sync.Mutex
	here map[string]bool
}

var _ hostagent.ImageStore = (*Images)(nil)

// NewImages makes an empty store.
func NewImages() *Images { return &Images{here: map[string]bool{}} }

// Has implements hostagent.ImageStore.
func (i *Images) Has(image assign.Image) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.here[image.SHA256]
}

// Ensure implements hostagent.ImageStore.
func (i *Images) Ensure(ctx context.Context, image assign.Image) error {
	if i.Fetch != nil {
		if err := i.Fetch(ctx, image); err != nil {
			return err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.here[image.SHA256] = true
	return nil
}

// Path implements hostagent.ImageStore.
func (i *Images) Path(image assign.Image) string { return "/sim/images/" + image.SHA256 }
