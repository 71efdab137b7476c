package hostagent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// notedDisk notes what is written, and fails from some call on.
type notedDisk struct {
	*hostagent.MemDisk
	saved []string
	bytes int
	left  int // calls until it fails; negative for never
}

var errPower = errors.New("the power is gone")

func (d *notedDisk) spend() error {
	if d.left == 0 {
		return errPower
	}
	d.left--
	return nil
}

func (d *notedDisk) Save(name string, data []byte) error {
	if err := d.spend(); err != nil {
		return err
	}
	d.saved = append(d.saved, name)
	d.bytes += len(data)
	return d.MemDisk.Save(name, data)
}

func (d *notedDisk) Remove(name string) error {
	if err := d.spend(); err != nil {
		return err
	}
	return d.MemDisk.Remove(name)
}

func (d *notedDisk) items(t *testing.T) (names []string) {
	t.Helper()
	all, err := d.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if strings.HasPrefix(name, "item-") {
			names = append(names, name)
		}
	}
	return names
}

// large is a guest with much user data.
func large(n int) assign.Guest {
	g := guest(n)
	g.UserData = bytes.Repeat([]byte{byte(n)}, 40<<10)
	return g
}

// TestLargeItemsLieApart: a change of one guest writes neither the user data of
// the others nor, if it is not changed itself, anything large at all.
func TestLargeItemsLieApart(t *testing.T) {
	disk := &notedDisk{MemDisk: hostagent.NewMemDisk(), left: -1}
	l := openLedger(t, disk)
	accept := func(index uint64, guests ...assign.Guest) {
		t.Helper()
		disk.saved, disk.bytes = nil, 0
		d := desired(index, guests...)
		if _, err := l.Accept(d); err != nil {
			t.Fatal(err)
		}
		if got, ok := openLedger(t, disk).Desired(); !ok || !reflect.DeepEqual(got, d) {
			t.Fatalf("on disk: %+v\nwant %+v", got, d)
		}
	}
	small := guest(9)
	accept(1, large(1), large(2), large(3), small)
	if len(disk.items(t)) != 3 || len(disk.saved) != 4 || disk.saved[3] != "desired" {
		t.Errorf("wrote %v", disk.saved)
	}
	small.RebootEpoch++
	accept(2, large(1), large(2), large(3), small)
	if !slices.Equal(disk.saved, []string{"desired"}) || disk.bytes > 4<<10 {
		t.Errorf("a small change wrote %v, %d bytes", disk.saved, disk.bytes)
	}
	two := large(2)
	two.RebootEpoch++
	accept(3, large(1), two, large(3), small)
	if len(disk.saved) != 2 || len(disk.items(t)) != 3 {
		t.Errorf("a large change wrote %v, and left %v", disk.saved, disk.items(t))
	}
	accept(4, small)
	if left := disk.items(t); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

// TestPowerLossBetweenFiles: wherever the power goes while a desired state is
// stored, there is the old one or the new one afterwards, and in the end no
// litter.
func TestPowerLossBetweenFiles(t *testing.T) {
	two := large(2)
	two.UserData = append(two.UserData, 1)
	before, after := desired(1, large(1), large(2), guest(9)), desired(2, two, large(3), guest(9))
	stored := 0
	for calls := range 12 {
		disk := &notedDisk{MemDisk: hostagent.NewMemDisk(), left: -1}
		l := openLedger(t, disk)
		if _, err := l.Accept(before); err != nil {
			t.Fatal(err)
		}
		disk.left = calls
		_, err := l.Accept(after)
		if err != nil && !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		if err != nil && l.Want("guest-3").Known {
			t.Errorf("after %d calls: worked from what was not stored", calls)
		}
		disk.left = -1
		again := openLedger(t, disk)
		got, _ := again.Desired()
		want := before
		if err == nil {
			stored, want = stored+1, after
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("after %d calls: got %+v", calls, got)
		}
		if n := len(disk.items(t)); n != 2 {
			t.Errorf("after %d calls and a restart there are %d items", calls, n)
		}
	}
	if stored == 0 || stored == 12 {
		t.Errorf("%d of 12 were stored: the power never went in between", stored)
	}
}

// TestDamagedItemIsSeen: a file that is gone, or holds something else, stops
// the agent; a page of before there were items is read.
func TestDamagedItemIsSeen(t *testing.T) {
	for name, spoil := range map[string]func(d *notedDisk, file string) error{
		"gone":  func(d *notedDisk, file string) error { return d.Remove(file) },
		"empty": func(d *notedDisk, file string) error { return d.Save(file, nil) },
		"another's": func(d *notedDisk, file string) error {
			return d.Save(file, []byte(`{"kind":"guest","id":"x","digest":"y"}`))
		},
		"one byte": func(d *notedDisk, file string) error {
			b, err := d.Load(file)
			if err != nil {
				return err
			}
			return d.Save(file, bytes.Replace(b, []byte(`"power":"on"`), []byte(`"power":"no"`), 1))
		},
	} {
		disk := &notedDisk{MemDisk: hostagent.NewMemDisk(), left: -1}
		if _, err := openLedger(t, disk).Accept(desired(1, large(1))); err != nil {
			t.Fatal(err)
		}
		if err := spoil(disk, disk.items(t)[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := hostagent.OpenLedger(disk, theHost, ""); !errs.Is(err, errs.Internal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	disk := hostagent.NewMemDisk()
	old := desired(1, large(1), guest(2))
	b, err := json.Marshal(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.Save("desired", b); err != nil {
		t.Fatal(err)
	}
	if got, _ := openLedger(t, disk).Desired(); !reflect.DeepEqual(got, old) {
		t.Errorf("an old page: %+v", got)
	}
}

// BenchmarkAccept is what storing a change of one guest of 100 costs on a disk,
// by the user data that each of them has.
func BenchmarkAccept(b *testing.B) {
	for _, kib := range []int{0, 2, 16, 64} {
		b.Run(fmt.Sprintf("%dKiB", kib), func(b *testing.B) {
			disk, err := hostagent.NewFileDisk(filepath.Join(b.TempDir(), "ledger"))
			if err != nil {
				b.Fatal(err)
			}
			l, err := hostagent.OpenLedger(disk, theHost, "")
			if err != nil {
				b.Fatal(err)
			}
			var guests []assign.Guest
			for n := range 100 {
				g := guest(1000 + n)
				g.UserData = make([]byte, kib<<10)
				guests = append(guests, g)
			}
			if _, err := l.Accept(desired(1, guests...)); err != nil {
				b.Fatal(err)
			}
			for i := uint64(2); b.Loop(); i++ {
				b.StopTimer()
				guests = slices.Clone(guests)
				guests[i%100].RebootEpoch++
				d := desired(i, guests...)
				b.StartTimer()
				if _, err := l.Accept(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
