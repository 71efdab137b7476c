package drive

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// places are the disk, the same with syncs that are passed on, and the folder
// behind without a disk.
func places(b *testing.B, run func(b *testing.B, dir string)) {
	b.Run("raw", func(b *testing.B) { run(b, b.TempDir()) })
	for name, syncing := range map[string]bool{"disk": false, "disk_syncing": true} {
		b.Run(name, func(b *testing.B) {
			d := startDisk(b, func(o *disk.Options) { o.SyncStore = syncing })
			before := d.cpu()
			run(b, d.opts.Mount)
			b.ReportMetric(float64((d.cpu()-before).Microseconds())/float64(b.N), "disk-cpu-us/op")
		})
	}
}

// cpu is the processor time that the disk's process has taken.
func (b *bench) cpu() time.Duration {
	b.t.Helper()
	s, err := b.Status(b.ctx)
	b.ok(err)
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(s.PID) + "/stat")
	b.ok(err)
	fields := strings.Fields(string(stat)[strings.LastIndex(string(stat), ")")+1:])
	ticks := time.Duration(0)
	for _, f := range fields[11:13] { // in user mode and in the kernel
		n, err := strconv.Atoi(f)
		b.ok(err)
		ticks += time.Duration(n)
	}
	return ticks * 10 * time.Millisecond
}

// BenchmarkWriteSync is what a log does: a page, and fdatasync.
func BenchmarkWriteSync(b *testing.B) {
	places(b, func(b *testing.B, dir string) {
		f, err := os.Create(filepath.Join(dir, "f"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		page := make([]byte, 4096)
		for n := 0; b.Loop(); n++ {
			if _, err := f.WriteAt(page, int64(n%1000)*4096); err != nil {
				b.Fatal(err)
			}
			if err := syscall.Fdatasync(int(f.Fd())); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCommit is a commit of bbolt with one small value.
func BenchmarkCommit(b *testing.B) {
	places(b, func(b *testing.B, dir string) {
		db, err := bbolt.Open(filepath.Join(dir, "db"), 0o600, &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		value := make([]byte, 1024)
		for n := 0; b.Loop(); n++ {
			err := db.Update(func(tx *bbolt.Tx) error {
				bucket, err := tx.CreateBucketIfNotExists([]byte("b"))
				if err != nil {
					return err
				}
				return bucket.Put([]byte{byte(n >> 8), byte(n)}, value)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
