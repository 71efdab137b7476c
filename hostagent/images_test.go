package hostagent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

func imageOf(b []byte) assign.Image {
	sum := sha256.Sum256(b)
	return assign.Image{ID: "image", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(b)), Format: "raw"}
}

// depot is where a test's cache fetches from.
type depot struct {
	mu     sync.Mutex
	bytes  map[string][]byte
	opened int
	gate   chan struct{} // if set, each fetch waits for it or its end
	used   map[string]bool
	unsure bool
}

func (d *depot) add(text string) assign.Image {
	i := imageOf([]byte(text))
	d.bytes[i.SHA256] = []byte(text)
	return i
}

func (d *depot) open(ctx context.Context, sum string) (io.ReadCloser, error) {
	d.mu.Lock()
	d.opened++
	b, ok := d.bytes[sum]
	d.mu.Unlock()
	if d.gate != nil {
		select {
		case <-d.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if !ok {
		return nil, errs.Errorf("test", errs.NotFound, "There is no such image.")
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (d *depot) opens() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opened
}

func openCache(t *testing.T, dir string, limit int64) (*hostagent.ImageCache, *depot) {
	t.Helper()
	d := &depot{bytes: map[string][]byte{}, used: map[string]bool{}}
	c, err := hostagent.OpenImageCache(hostagent.ImageCacheConfig{Dir: dir, Limit: limit, Open: d.open,
		InUse: func() (map[string]bool, bool) { return d.used, !d.unsure }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return c, d
}

// TestImageIsVerified: nothing is in the cache that is not what its name says.
func TestImageIsVerified(t *testing.T) {
	dir := t.TempDir()
	c, d := openCache(t, dir, 0)
	good := d.add("good bytes")
	swapped := imageOf([]byte("fine bytes"))
	d.bytes[swapped.SHA256] = []byte("evil bytes")
	long := imageOf([]byte("short"))
	d.bytes[long.SHA256] = []byte("short and more")
	cut := imageOf([]byte("the whole"))
	d.bytes[cut.SHA256] = []byte("the who")
	path := good
	path.SHA256 = "../" + strings.Repeat("a", 61)
	sizeless := good
	sizeless.Size = 0
	for _, test := range []struct {
		name  string
		image assign.Image
		kind  errs.Kind
	}{
		{"other bytes", swapped, errs.Unavailable}, {"too many", long, errs.Unavailable}, {"too few", cut, errs.Unavailable},
		{"unknown", imageOf([]byte("unknown")), errs.NotFound}, {"a path for a name", path, errs.Invalid}, {"no size", sizeless, errs.Invalid},
	} {
		if err := c.Ensure(context.Background(), test.image); !errs.Is(err, test.kind) || c.Has(test.image) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if err := c.Ensure(context.Background(), good); err != nil || !c.Has(good) {
		t.Fatalf("good: %v", err)
	}
	if b, err := os.ReadFile(c.Path(good)); err != nil || string(b) != "good bytes" {
		t.Errorf("%q, %v", b, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("litter: %v", entries)
	}
	again, _ := openCache(t, dir, 0)
	if !again.Has(good) {
		t.Error("a restart forgot it")
	}
	if err := os.Remove(filepath.Join(dir, good.SHA256)); err != nil || again.Has(good) {
		t.Errorf("a deleted file is still here: %v", err)
	}
}

// TestOneFetchIsShared: guests that wait for one image cause one fetch, and when
// the one that fetches is called off another goes on.
func TestOneFetchIsShared(t *testing.T) {
	c, d := openCache(t, t.TempDir(), 0)
	image := d.add("shared")
	d.gate = make(chan struct{})
	first, cancel := context.WithCancel(context.Background())
	firstDone := make(chan error, 1)
	go func() { firstDone <- c.Ensure(first, image) }()
	awaitTrue(t, "a fetch begins", func() bool { return d.opens() == 1 })
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if err := c.Ensure(context.Background(), image); err != nil {
				t.Error(err)
			}
		})
	}
	cancel()
	if err := <-firstDone; err == nil {
		t.Error("the first was not called off")
	}
	awaitTrue(t, "another goes on", func() bool { return d.opens() == 2 })
	close(d.gate)
	all.Wait()
	if n := d.opens(); n != 2 {
		t.Errorf("%d fetches", n)
	}
}

func awaitTrue(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for !ok() {
		if err := clock.Sleep(ctx, clock.Real{}, time.Millisecond); errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestPruning: over the limit the image goes that was not used for longest, and
// never one that a guest leans on, or may.
func TestPruning(t *testing.T) {
	c, d := openCache(t, t.TempDir(), 30)
	var images []assign.Image
	for _, text := range []string{"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "dddddddddd", "eeeeeeeeee", "ffffffffff"} {
		images = append(images, d.add(text))
	}
	ensure := func(i int) {
		t.Helper()
		if err := c.Ensure(context.Background(), images[i]); err != nil {
			t.Fatal(err)
		}
	}
	here := func() string {
		var s strings.Builder
		for i, image := range images {
			if _, err := os.Stat(c.Path(image)); err == nil {
				s.WriteByte("abcdef"[i])
			}
		}
		return s.String()
	}
	ensure(0)
	ensure(1)
	ensure(2)
	ensure(0) // used again
	d.used[images[1].SHA256] = true
	ensure(3)
	if got := here(); got != "abd" {
		t.Errorf("here: %s, want abd", got)
	}
	d.unsure = true
	ensure(4)
	if got := here(); got != "abde" {
		t.Errorf("unsure, here: %s, want abde", got)
	}
	d.unsure = false
	for _, image := range images {
		d.used[image.SHA256] = true
	}
	ensure(5)
	if got := here(); got != "abdef" {
		t.Errorf("all in use, here: %s, want abdef", got)
	}
}

// TestAgentFetchesItsImages: an agent without an image store of its own has a
// cache that fills through the control plane, and prunes only when it is sure.
func TestAgentFetchesItsImages(t *testing.T) {
	r := newRig(t, false, nil)
	dir := t.TempDir()
	restart := func() {
		a, err := hostagent.New(hostagent.Config{Identity: assign.Capacity{HostID: theHost}, Driver: r.driver, Network: r.net,
			Control: r.plane, Leases: r.plane, Nodes: func() []string { return []string{"c1"} }, Disk: r.disk, ImageDir: dir, ImageLimit: 12, Clock: r.clock, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		r.agent = a
	}
	with := func(n int, text string) assign.Guest {
		g := guest(n)
		g.Image = imageOf([]byte(text))
		r.plane.images[g.Image.SHA256] = []byte(text)
		return g
	}
	here := func(g assign.Guest) bool {
		_, err := os.Stat(filepath.Join(dir, g.Image.SHA256))
		return err == nil
	}
	restart()
	first, second, third := with(1, "first image"), with(2, "other image"), with(3, "third image")
	r.plane.put(first)
	r.wantSeen(first.ID, assign.Running)
	r.plane.put(second) // the first guest is unknown now, and still runs from its image
	r.wantSeen(second.ID, assign.Running)
	if !here(first) || !here(second) {
		t.Fatal("an image was pruned under a guest")
	}
	second.Power = assign.Gone
	r.plane.put(second)
	r.wantSeen(second.ID, assign.Removed)
	r.plane.put(third)
	r.wantSeen(third.ID, assign.Running)
	if !here(first) || here(second) || !here(third) {
		t.Errorf("first %v, second %v, third %v", here(first), here(second), here(third))
	}
	missing := guest(4)
	missing.Image = imageOf([]byte("nowhere"))
	r.plane.put(third, missing)
	r.until("fault", func() bool { return r.plane.saw(missing.ID).Fault == "There is no such image." })
}
