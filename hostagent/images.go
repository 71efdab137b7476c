package hostagent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// ImageCache holds images in a folder of its own, each under its hash. Nothing
// has its name there before it is whole, verified and synced.
type ImageCache struct {
	dir   string
	limit int64
	open  func(ctx context.Context, sha256 string) (io.ReadCloser, error)
	inUse func() (hashes map[string]bool, sure bool)
	log   *slog.Logger

	mu      sync.Mutex
	files   map[string]*imageFile
	fetches map[string]chan struct{} // closed when the fetch has ended
	tick    uint64
}

// imageFile is an image that is here; used orders them for pruning.
type imageFile struct {
	size int64
	used uint64
}

// ImageCacheConfig is what an ImageCache is made of.
type ImageCacheConfig struct {
	// Dir is the cache's own folder. Limit in bytes is when images that no
	// guest leans on are pruned, oldest use first; 0 is no limit.
	Dir   string
	Limit int64
	// Open gives an image's bytes.
	Open func(ctx context.Context, sha256 string) (io.ReadCloser, error)
	// InUse lists the hashes that must stay. While it is not sure nothing is
	// pruned.
	InUse func() (hashes map[string]bool, sure bool)
	Log   *slog.Logger
}

// OpenImageCache finds what is in the folder, and clears away what was not
// finished.
func OpenImageCache(c ImageCacheConfig) (*ImageCache, error) {
	const op = "hostagent.images.open"
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	if err := removeTemps(c.Dir); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	var infos []os.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, errs.E(op, errs.Internal, "", err)
		}
		if info.Mode().IsRegular() && hexName(info.Name()) {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	cache := &ImageCache{dir: c.Dir, limit: c.Limit, open: c.Open, inUse: c.InUse, log: c.Log,
		files: map[string]*imageFile{}, fetches: map[string]chan struct{}{}}
	for _, info := range infos {
		cache.tick++
		cache.files[info.Name()] = &imageFile{size: info.Size(), used: cache.tick}
	}
	return cache, nil
}

// hexName tells whether a name is a SHA-256 in lower-case hex.
func hexName(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// Path implements ImageStore.
func (c *ImageCache) Path(image assign.Image) string { return filepath.Join(c.dir, image.SHA256) }

// Has implements ImageStore. A file that someone deleted is not here.
func (c *ImageCache) Has(image assign.Image) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.has(image.SHA256)
}

func (c *ImageCache) has(sum string) bool {
	f := c.files[sum]
	if f == nil {
		return false
	}
	if _, err := os.Stat(filepath.Join(c.dir, sum)); err != nil {
		delete(c.files, sum)
		return false
	}
	c.tick++
	f.used = c.tick
	return true
}

// Bytes is what the images that are here take together.
func (c *ImageCache) Bytes() (sum int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.files {
		sum += f.size
	}
	return sum
}

// Ensure implements ImageStore. Guests that wait for the same image share one
// fetch; if the one that fetches is called off, another goes on. Invalid: the
// image cannot be fetched as it is described. Unavailable: try again.
func (c *ImageCache) Ensure(ctx context.Context, image assign.Image) error {
	if !hexName(image.SHA256) || image.Size <= 0 {
		return errs.Errorf("hostagent.images", errs.Invalid,
			"Image %s has no usable checksum or size (%q, %d bytes).", image.ID, image.SHA256, image.Size)
	}
	for {
		others, mine := c.claim(image.SHA256)
		switch {
		case mine != nil:
			err := c.fetch(ctx, image)
			c.mu.Lock()
			delete(c.fetches, image.SHA256)
			c.mu.Unlock()
			close(mine)
			return err
		case others == nil:
			return nil
		}
		select {
		case <-others:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// claim gives the fetch to wait for, or the one that the caller is to do, or
// neither when the image is here.
func (c *ImageCache) claim(sum string) (others <-chan struct{}, mine chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.has(sum) {
		return nil, nil
	}
	if ch := c.fetches[sum]; ch != nil {
		return ch, nil
	}
	mine = make(chan struct{})
	c.fetches[sum] = mine
	return nil, mine
}

func (c *ImageCache) fetch(ctx context.Context, image assign.Image) error {
	const op = "hostagent.images.fetch"
	c.prune(image.Size)
	body, err := c.open(ctx, image.SHA256)
	if err != nil {
		return openFailure(err)
	}
	defer body.Close()
	f, err := os.CreateTemp(c.dir, tempPrefix+"*")
	if err != nil {
		return errs.E(op, errs.Unavailable, "The host cannot store the image.", err)
	}
	err = verify(f, body, image)
	if err == nil {
		// The hypervisor's user reads it; nobody writes it again.
		err = f.Chmod(0o444)
	}
	if err = settleFile(f, c.Path(image), err); err != nil {
		var known *errs.Error
		if errors.As(err, &known) {
			return err
		}
		return errs.E(op, errs.Unavailable, "The host could not fetch the image.", err)
	}
	c.mu.Lock()
	c.tick++
	c.files[image.SHA256] = &imageFile{size: image.Size, used: c.tick}
	c.mu.Unlock()
	return nil
}

// openFailure keeps for good only what speaks of the image itself; trouble of
// the control plane's own will pass.
func openFailure(err error) error {
	switch errs.KindOf(err) {
	case errs.NotFound, errs.Gone, errs.Forbidden, errs.Invalid:
		return err
	}
	return errs.E("hostagent.images.fetch", errs.Unavailable, "The image cannot be fetched now.", err)
}

// verify copies body to w: exactly the image's size, with the image's hash.
// What is wrong here may be right from another node, so it is Unavailable.
func verify(w io.Writer, body io.Reader, image assign.Image) error {
	const op = "hostagent.images.verify"
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), io.LimitReader(body, image.Size+1))
	if err != nil {
		return err
	}
	if n != image.Size {
		return errs.Errorf(op, errs.Unavailable, "Image %s came with a wrong size.", image.ID)
	}
	if hex.EncodeToString(hash.Sum(nil)) != image.SHA256 {
		return errs.Errorf(op, errs.Unavailable, "Image %s came with a wrong checksum.", image.ID)
	}
	return nil
}

// prune makes room for another image. What guests lean on stays, even over the
// limit: they could not run without it.
func (c *ImageCache) prune(room int64) {
	if c.limit <= 0 {
		return
	}
	used, sure := c.inUse()
	if !sure {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	total := room
	var idle []string
	for sum, f := range c.files {
		total += f.size
		if !used[sum] {
			idle = append(idle, sum)
		}
	}
	slices.SortFunc(idle, func(a, b string) int {
		if c.files[a].used < c.files[b].used {
			return -1
		}
		return 1
	})
	for _, sum := range idle {
		if total <= c.limit {
			return
		}
		if err := os.Remove(filepath.Join(c.dir, sum)); err != nil {
			c.log.Warn("image not pruned", "image", sum, "err", err)
			continue
		}
		total -= c.files[sum].size
		delete(c.files, sum)
	}
	if total > c.limit {
		c.log.Warn("image cache over its limit", "bytes", total, "limit", c.limit)
	}
}
