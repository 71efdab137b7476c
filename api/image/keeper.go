package image

import (
	"sync"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/imagestore"
)

// maxNamed bounds how many names a keeper remembers.
const maxNamed = 1024

// keeper decides when stored bytes may go: when no image names them. An upload
// may take hours, and its view of the images is as old as its beginning; other
// images may have got the same bytes since then, or be about to. So uploads
// hold the bytes that they have stored until they are done, and the keeper
// remembers since which index bytes have been named. When it does not know, it
// keeps them. The zero value is ready.
type keeper struct {
	mu   sync.Mutex
	held map[string]int
	// named is the index at which bytes were last named by an image. What it
	// forgot was at known or before.
	named map[string]uint64
	known uint64
}

// hold keeps bytes until release.
func (k *keeper) hold(sha256 string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil {
		k.held, k.named = map[string]int{}, map[string]uint64{}
	}
	k.held[sha256]++
}

// release ends hold.
func (k *keeper) release(sha256 string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held[sha256]--; k.held[sha256] == 0 {
		delete(k.held, sha256)
	}
}

// became says that an image names the bytes since an index; they must be held.
func (k *keeper) became(sha256 string, index uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.named) >= maxNamed {
		for _, i := range k.named {
			k.known = max(k.known, i)
		}
		clear(k.named)
	}
	k.named[sha256] = max(index, k.named[sha256])
}

// drop deletes bytes that no image of the view names, unless an upload holds
// them or they were named after the view.
func (k *keeper) drop(s *imagestore.Store, v state.View, sha256 string) error {
	if sha256 == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held[sha256] > 0 || k.named[sha256] > v.Index || k.known > v.Index {
		return nil
	}
	for range v.ImagesWithBytes(sha256) {
		return nil
	}
	return s.Delete(sha256)
}
