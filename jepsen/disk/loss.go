package disk

import "github.com/kvorum/kvorum/internal/errs"

// Keep is what survives of what was not synced when the power fails. Whatever
// survives is something that was really written; bytes are never made up, but
// zeros where a file grew and the bytes did not come.
type Keep string

const (
	// KeepNone loses all of it.
	KeepNone Keep = "none"
	// KeepTorn keeps a beginning of each of the last Loss.Writes writes, by
	// chance, in whole units.
	KeepTorn Keep = "torn"
	// KeepSome keeps each unit by chance, in no order, as a cache does that was
	// being written back; a file's new length, and names, likewise: names as far as
	// Options.Names lets them.
	KeepSome Keep = "some"
)

// Loss is how the power fails.
type Loss struct {
	// Keep is KeepNone if empty.
	Keep Keep `json:"keep,omitempty"`
	// Unit is 512 or 4096 bytes; 4096 if zero.
	Unit int64 `json:"unit,omitempty"`
	// Writes is for KeepTorn: 1 to 16; 1 if zero.
	Writes int `json:"writes,omitempty"`
}

// MaxTorn is how many of a file's last writes are remembered.
const MaxTorn = 16

// Check fills in what was left out. Invalid says what is wrong.
func (l *Loss) Check() error {
	if l.Keep == "" {
		l.Keep = KeepNone
	}
	l.Unit, l.Writes = orElse(l.Unit, 4096), orElse(l.Writes, 1)
	if l.Keep != KeepNone && l.Keep != KeepTorn && l.Keep != KeepSome || l.Unit != 512 && l.Unit != 4096 ||
		l.Writes < 1 || l.Writes > MaxTorn {
		return errs.Errorf("disk.loss", errs.Invalid, "%+v: keep is none, torn or some, a unit 512 or 4096, and torn writes 1 to %d", *l, MaxTorn)
	}
	return nil
}

// Lost is what a power loss took. One that took nothing shows nothing.
type Lost struct {
	// Bytes of files and changes of Names that were not synced and are gone, and
	// how many Files lost bytes or their length.
	Bytes int64 `json:"bytes"`
	Files int   `json:"files"`
	Names int   `json:"names"`
	// KeptBytes and KeptNames were not synced either, and survived.
	KeptBytes int64 `json:"kept_bytes"`
	KeptNames int   `json:"kept_names"`
	// Spilled is what had been written back before, because it was more than is
	// kept track of: bytes and names that this loss should have been able to take.
	Spilled Spilled `json:"spilled"`
}

// Spilled is what counts as durable only because it was too much.
type Spilled struct {
	Bytes int64 `json:"bytes"`
	Names int64 `json:"names"`
}

// Any tells whether something is gone.
func (l Lost) Any() bool { return l.Bytes > 0 || l.Files > 0 || l.Names > 0 }

// Flip is one bit to be turned in the folder behind.
type Flip struct {
	// Path is a pattern as Fault.Path; of several files one is taken by chance,
	// and of those without bytes none.
	Path string `json:"path"`
	// Offset is the byte; negative means by chance. Bit is 0 to 7.
	Offset int64 `json:"offset"`
	Bit    int   `json:"bit"`
}
