package hostagent_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

func openLedger(t *testing.T, disk hostagent.Disk) *hostagent.Ledger {
	t.Helper()
	l, err := hostagent.OpenLedger(disk, theHost, "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLedgerRefuses: a host goes forward only, in one cluster, as one host.
func TestLedgerRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*assign.Desired)
		kind   errs.Kind
		taken  bool
	}{
		{"the same again", func(*assign.Desired) {}, 0, true},
		{"newer, same content", func(d *assign.Desired) { d.Index = 6 }, 0, true},
		{"newer", func(d *assign.Desired) { d.Index, d.Guests[0].Power = 6, assign.Off }, 0, true},
		{"a new incarnation begins low", func(d *assign.Desired) { d.Incarnation, d.Index = 2, 1 }, 0, true},
		{"older", func(d *assign.Desired) { d.Index = 4 }, errs.Conflict, false},
		{"of an older incarnation", func(d *assign.Desired) { d.Incarnation, d.Index = 0, 9 }, errs.Conflict, false},
		{"same generation, other content", func(d *assign.Desired) { d.Guests[0].Power = assign.Gone }, errs.Conflict, false},
		{"another cluster", func(d *assign.Desired) { d.Index, d.ClusterID = 6, "cluster-2" }, errs.Forbidden, false},
		{"another host", func(d *assign.Desired) { d.Index, d.HostID = 6, "host-2" }, errs.Forbidden, false},
		{"a guest twice", func(d *assign.Desired) { d.Index, d.Guests = 6, []assign.Guest{guest(1), guest(1)} }, errs.Invalid, false},
		{"a guest that names a path", func(d *assign.Desired) { d.Index, d.Guests[0].ID = 6, "../../etc/passwd" }, errs.Invalid, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := hostagent.NewMemDisk()
			if _, err := openLedger(t, disk).Accept(desired(5, guest(1))); err != nil {
				t.Fatal(err)
			}
			l := openLedger(t, disk) // the refusal outlives a restart
			d := desired(5, guest(1))
			c.change(&d)
			d.Digest = d.Sum()
			_, err := l.Accept(d)
			if c.taken != (err == nil) || err != nil && errs.KindOf(err) != c.kind {
				t.Fatalf("got %v", err)
			}
			if l.Confirmed() != c.taken {
				t.Errorf("confirmed: %v", l.Confirmed())
			}
			now, _ := openLedger(t, disk).Desired()
			if c.taken && now.Index != d.Index || !c.taken && now.Digest != desired(5, guest(1)).Digest {
				t.Errorf("on disk: %+v", now)
			}
		})
	}
}

// TestLedgerTellsWhatChanged: only guests whose wishes changed are woken; all
// are when the desired state is confirmed for the first time.
func TestLedgerTellsWhatChanged(t *testing.T) {
	l := openLedger(t, hostagent.NewMemDisk())
	changed, _ := l.Accept(desired(1, guest(1), guest(2)))
	if !slices.Equal(changed, []string{"guest-1", "guest-2"}) {
		t.Errorf("first: %v", changed)
	}
	g := guest(2)
	// Nothing that a domain is made from.
	g.Metadata, g.NICs[0].Down = map[string]string{"colour": "blue"}, true
	changed, _ = l.Accept(desired(2, guest(1), g, guest(3)))
	if !slices.Equal(changed, []string{"guest-3"}) {
		t.Errorf("second: %v", changed)
	}
	g.RebootEpoch = 1
	changed, _ = l.Accept(desired(3, g, guest(3)))
	if !slices.Equal(changed, []string{"guest-1", "guest-2"}) {
		t.Errorf("third: %v", changed)
	}
}

// TestRecordsSurvive: what must outlive the agent does, failures are forgiven,
// and everything will be told once more.
func TestRecordsSurvive(t *testing.T) {
	disk, err := hostagent.NewFileDisk(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	l := openLedger(t, disk)
	o := assign.Observed{ID: "guest-1", State: assign.Running, Permit: 10}
	rec := hostagent.Record{ID: "guest-1", Offered: o, PowerEpoch: 3, RebootTaken: 7, RebootDone: 6, Killed: true, Failures: 4, Fault: "No."}
	if err := l.Put(rec); err != nil {
		t.Fatal(err)
	}
	got := openLedger(t, disk).Record("guest-1")
	if got.PowerEpoch != 3 || got.RebootTaken != 7 || !got.Killed || !got.Interrupted || got.Fault != "No." ||
		got.Failures != 0 || got.Offered != (assign.Observed{}) {
		t.Errorf("after a restart: %+v", got)
	}
	if got := l.Record("guest-1"); got.Offered != o {
		t.Errorf("before a resync: %+v", got)
	}
	l.Resync()
	if got := l.Record("guest-1"); got.Offered != (assign.Observed{}) {
		t.Errorf("after a resync: %+v", got)
	}
	if err := l.Forget("guest-1"); err != nil {
		t.Fatal(err)
	}
	if ids := openLedger(t, disk).IDs(); len(ids) != 0 {
		t.Errorf("not forgotten: %v", ids)
	}
}

// TestDamagedLedgerIsNotEmpty: a ledger that cannot be read stops the agent.
func TestDamagedLedgerIsNotEmpty(t *testing.T) {
	for name, content := range map[string]string{"desired": `{"cluster_id":`, "guest-1": `{"id":"guest-2"}`, "guest-x": ``} {
		disk := hostagent.NewMemDisk()
		if err := disk.Save(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if _, err := hostagent.OpenLedger(disk, theHost, ""); !errs.Is(err, errs.Internal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	disk := hostagent.NewMemDisk()
	if _, err := openLedger(t, disk).Accept(desired(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := hostagent.OpenLedger(disk, "host-2", ""); !errs.Is(err, errs.Forbidden) {
		t.Errorf("another host's ledger: %v", err)
	}
}

// TestDesiredIsStoredFirst: what could not be stored is not what is worked from.
func TestDesiredIsStoredFirst(t *testing.T) {
	disk := hostagent.NewMemDisk()
	l := openLedger(t, disk)
	disk.Fail(errors.New("no space left"))
	if _, err := l.Accept(desired(1, guest(1))); err == nil {
		t.Fatal("accepted")
	}
	if l.Want("guest-1").Known || l.Confirmed() {
		t.Error("worked from all the same")
	}
}

// TestFileDisk: a crash leaves the old file or the new one, and no litter.
func TestFileDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".new-123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := hostagent.NewFileDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two"} {
		if err := d.Save("a", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := d.Load("a"); err != nil || string(b) != text {
			t.Errorf("load: %q, %v", b, err)
		}
	}
	if names, err := d.List(); err != nil || !slices.Equal(names, []string{"a"}) {
		t.Errorf("list: %v, %v", names, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("litter: %v, %v", entries, err)
	}
	for range 2 {
		if err := d.Remove("a"); err != nil {
			t.Error(err)
		}
	}
	if b, err := d.Load("a"); b != nil || err != nil {
		t.Errorf("removed: %q, %v", b, err)
	}
}
