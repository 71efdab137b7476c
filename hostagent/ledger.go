package hostagent

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// Ledger is what the agent may act on: the last accepted desired state and a
// record of each guest. Both are on disk before anything is done, so that a
// restart without a control plane goes on where it stopped.
type Ledger struct {
	disk   Disk
	hostID string

	mu        sync.Mutex
	pages     pages
	clusterID string
	accepted  bool // there is a desired state
	confirmed bool
	desired   assign.Desired
	wants     map[string]Want
	records   map[string]Record
	saved     map[string][]byte // each record's bytes on disk
	round     uint64
	reports   uint64 // the number of the last report
}

const (
	desiredFile  = "desired"
	recordPrefix = "guest-"
	reportsFile  = "reports"
)

// reportsPerLife is more than an agent ever reports in one life.
const reportsPerLife = 1 << 32

// OpenLedger reads the ledger of the host. clusterID may be empty: then the
// first desired state that is accepted binds the host to its cluster. A ledger
// that cannot be read is an error of kind Internal, never an empty ledger.
func OpenLedger(disk Disk, hostID, clusterID string) (*Ledger, error) {
	l := &Ledger{disk: disk, hostID: hostID, clusterID: clusterID,
		wants: map[string]Want{}, records: map[string]Record{}, saved: map[string][]byte{}}
	l.pages.disk = disk
	d, ok, err := l.pages.load()
	if err != nil {
		return nil, err
	}
	if ok {
		if err := l.fits(d); err != nil {
			return nil, err
		}
		l.keep(d)
	}
	return l, l.loadRecords()
}

func (l *Ledger) loadRecords() error {
	names, err := l.disk.List()
	if err != nil {
		return err
	}
	for _, name := range names {
		id, ok := strings.CutPrefix(name, recordPrefix)
		if !ok {
			continue
		}
		b, err := l.disk.Load(name)
		if err != nil {
			return err
		}
		var rec Record
		if err := json.Unmarshal(b, &rec); err != nil || rec.ID != id {
			return errs.E("hostagent.ledger.open", errs.Internal, "The ledger's record "+name+" is damaged.", err)
		}
		rec.Interrupted = rec.rebooting()
		l.records[id], l.saved[id] = rec, b
	}
	return nil
}

// Accept takes a desired state from the control plane: it is on disk when
// Accept returns, and confirmed. It gives the ids of the guests whose wishes
// changed. Conflict: it is older than the one that is here, or of the same
// generation with other content. Forbidden: it is another cluster's or host's.
// Invalid: it cannot be used.
func (l *Ledger) Accept(d assign.Desired) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.fits(d); err != nil {
		return nil, err
	}
	if err := l.follows(d); err != nil {
		return nil, err
	}
	if !l.accepted || l.desired.Index != d.Index || l.desired.Digest != d.Digest {
		if err := l.pages.save(d); err != nil {
			return nil, err
		}
	}
	fresh := !l.confirmed
	l.confirmed = true
	old := l.wants
	l.keep(d)
	return l.changed(old, fresh), nil
}

// fits checks that d is meant for this host and can be used at all.
func (l *Ledger) fits(d assign.Desired) error {
	const op = "hostagent.ledger.accept"
	if d.HostID != l.hostID {
		return errs.Errorf(op, errs.Forbidden, "This is the desired state of host %s, and this is host %s.", d.HostID, l.hostID)
	}
	if d.ClusterID == "" || l.clusterID != "" && d.ClusterID != l.clusterID {
		return errs.Errorf(op, errs.Forbidden, "This is the desired state of cluster %q, and this host belongs to %q.",
			d.ClusterID, l.clusterID)
	}
	if d.Digest == "" {
		return errs.Errorf(op, errs.Invalid, "The desired state has no digest.")
	}
	seen := map[string]bool{}
	for _, g := range d.Guests {
		if !validID(g.ID) || seen[g.ID] {
			return errs.Errorf(op, errs.Invalid, "The desired state has a guest twice or with a bad id: %q.", g.ID)
		}
		seen[g.ID] = true
	}
	return nil
}

// follows checks that d is of no older generation, and that one generation has
// one content.
func (l *Ledger) follows(d assign.Desired) error {
	const op = "hostagent.ledger.accept"
	if !l.accepted {
		return nil
	}
	if d.Older(l.desired) {
		return errs.Errorf(op, errs.Conflict, "The desired state %d.%d is older than %d.%d.",
			d.Incarnation, d.Index, l.desired.Incarnation, l.desired.Index)
	}
	if !l.desired.Older(d) && d.Digest != l.desired.Digest {
		return errs.Errorf(op, errs.Conflict, "The desired state %d.%d came with two different contents.",
			d.Incarnation, d.Index)
	}
	return nil
}

// validID tells whether an id may name a file: it comes over the wire.
func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	return strings.IndexFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) < 0
}

// keep makes d the desired state in memory.
func (l *Ledger) keep(d assign.Desired) {
	l.desired, l.clusterID, l.accepted = d, d.ClusterID, true
	networks := make(map[string]assign.Network, len(d.Networks))
	for _, n := range d.Networks {
		networks[n.ID] = n
	}
	l.wants = make(map[string]Want, len(d.Guests))
	for _, g := range d.Guests {
		l.wants[g.ID] = newWant(g, networks, false)
	}
}

// changed lists the guests whose wishes differ between old and now; all of
// them if so asked.
func (l *Ledger) changed(old map[string]Want, all bool) []string {
	var ids []string
	for id, w := range l.wants {
		if o, ok := old[id]; all || !ok || o.Wish() != w.Wish() {
			ids = append(ids, id)
		}
	}
	for id := range old {
		if _, ok := l.wants[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Confirm notes that the control plane stands by the accepted desired state,
// and tells whether that is news.
func (l *Ledger) Confirm() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := l.accepted && !l.confirmed
	l.confirmed = l.accepted
	return news
}

// Confirmed tells whether the control plane has stood by the desired state
// since this agent started.
func (l *Ledger) Confirmed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.confirmed
}

// ClusterID is the cluster that the host belongs to, empty for none yet.
func (l *Ledger) ClusterID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clusterID
}

// Desired gives the accepted desired state, and whether there is one. It must
// not be changed.
func (l *Ledger) Desired() (assign.Desired, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.desired, l.accepted
}

// Want gives what is wanted of the guest; the zero Want if nobody knows it.
func (l *Ledger) Want(id string) Want {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, ok := l.wants[id]
	w.Confirmed = ok && l.confirmed
	return w
}

// IDs lists every guest that is wanted or remembered, sorted.
func (l *Ledger) IDs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]string, 0, len(l.wants))
	for id := range l.wants {
		ids = append(ids, id)
	}
	for id := range l.records {
		if _, ok := l.wants[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Record gives the guest's record; one with an empty ID if there is none.
func (l *Ledger) Record(id string) Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.records[id]
	if rec.Round != l.round {
		rec.Offered, rec.Round = assign.Observed{}, l.round
	}
	return rec
}

// Put stores a guest's record; when it returns nil the record is on disk.
func (l *Ledger) Put(rec Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, err := json.Marshal(rec)
	if err != nil {
		return errs.E("hostagent.ledger.put", errs.Internal, "", err)
	}
	if !bytes.Equal(b, l.saved[rec.ID]) {
		if err := l.disk.Save(recordPrefix+rec.ID, b); err != nil {
			return err
		}
	}
	l.records[rec.ID], l.saved[rec.ID] = rec, b
	return nil
}

// Forget drops a guest's record.
func (l *Ledger) Forget(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.disk.Remove(recordPrefix + id); err != nil {
		return err
	}
	delete(l.records, id)
	delete(l.saved, id)
	return nil
}

// Resync makes every guest report once more, whatever was acknowledged.
func (l *Ledger) Resync() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.round++
}

// numberReports begins the numbers of this life's reports behind all of the
// lives before it. now is the time of day: it stands in for a ledger that was
// lost with its disk.
func (l *Ledger) numberReports(now time.Time) error {
	b, err := l.disk.Load(reportsFile)
	if err != nil {
		return err
	}
	first := uint64(max(now.Unix(), 0)) << 20
	if b != nil {
		var last uint64
		if err := json.Unmarshal(b, &last); err != nil {
			return errs.E("hostagent.ledger.reports", errs.Internal, "The ledger's report number is damaged.", err)
		}
		first = max(first, last+reportsPerLife)
	}
	if err := l.disk.Save(reportsFile, []byte(strconv.FormatUint(first, 10))); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports = first
	return nil
}

// nextReport is the number of the next report.
func (l *Ledger) nextReport() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports++
	return l.reports
}

// Images gives the hashes that guests here lean on: those of the desired state
// and those that disks were made from.
func (l *Ledger) Images() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	used := map[string]bool{}
	for _, w := range l.wants {
		for _, i := range guestImages(w.Guest) {
			used[i.SHA256] = true
		}
	}
	for _, rec := range l.records {
		for _, sum := range rec.Images {
			used[sum] = true
		}
	}
	return used
}
