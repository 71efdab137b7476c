package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/bits"
	"net/http"
	"strings"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/canon"
	"github.com/kvorum/kvorum/internal/model"
)

// Variant is a way in which the cluster can be broken on purpose, to see that
// the checkers see it. The breakage is put around the product's code, not into
// it.
type Variant string

// The variants.
const (
	// Sound breaks nothing.
	Sound Variant = ""
	// ForgetGeneration: the agent forgets its generation when it restarts, and
	// takes whatever comes.
	ForgetGeneration Variant = "forget-generation"
	// WrongHost: a host is told of another one's guests.
	WrongHost Variant = "wrong-host"
	// NoTombstone: a host is not told of what it must remove.
	NoTombstone Variant = "no-tombstone"
	// EarlyConfirm: a delete counts as confirmed before the host said so, and
	// the addresses are free too early.
	EarlyConfirm Variant = "early-confirm"
	// NewID: a client tries again with a new request id.
	NewID Variant = "new-id"
	// AckEarly: a proposal is acknowledged before it is in the log.
	AckEarly Variant = "ack-early"
	// LoseTable: a snapshot lacks one table.
	LoseTable Variant = "lose-table"
	// OwnClock: a replica stamps entries by its own clock.
	OwnClock Variant = "own-clock"
	// Boast: hosts say that they have more than they have.
	Boast Variant = "boast"
	// DropReport: the agents' reports are acknowledged and dropped.
	DropReport Variant = "drop-report"
	// OwnVerdict: the leader calls hosts dead by its own register alone.
	OwnVerdict Variant = "own-verdict"
	// ForgetUptime: a voter that has just started takes hosts for silent that it
	// could not have heard.
	ForgetUptime Variant = "forget-uptime"
	// BreakPromise: a voter grants the lease of a host that it promised to hold.
	BreakPromise Variant = "break-promise"
	// SelfGrant: a host takes a voter that does not answer for one that grants.
	SelfGrant Variant = "self-grant"
	// StandStill: a host's clock stands still while the host sleeps.
	StandStill Variant = "stand-still"
)

// Variants lists every breakage.
func Variants() []Variant {
	return []Variant{ForgetGeneration, WrongHost, NoTombstone, EarlyConfirm, NewID, AckEarly, LoseTable, OwnClock, Boast, DropReport,
		OwnVerdict, ForgetUptime, BreakPromise, SelfGrant, StandStill}
}

// mislead changes a desired state on its way to a host.
func (w *world) mislead(h *host, body []byte) []byte {
	if w.broken != WrongHost && w.broken != NoTombstone {
		return body
	}
	var d assign.Desired
	if err := json.Unmarshal(body, &d); err != nil {
		return body
	}
	if w.broken == NoTombstone {
		var kept []assign.Guest
		for _, g := range d.Guests {
			if g.Power != assign.Gone {
				kept = append(kept, g)
			}
		}
		d.Guests = kept
	} else if w.net.IntN(4) == 0 {
		d = state.Desired(w.view(), model.HostID(w.hosts[w.net.IntN(len(w.hosts))].id))
		d.HostID = h.id
	}
	d.Digest = d.Sum()
	out, err := json.Marshal(d)
	if err != nil {
		return body
	}
	return out
}

// deceive changes what a host says on its way to the door.
func (w *world) deceive(h *host, r *http.Request) {
	if w.broken != Boast && w.broken != DropReport {
		return
	}
	body := &bytes.Buffer{}
	_, _ = body.ReadFrom(r.Body) // from memory
	edited := body.Bytes()
	switch {
	case w.broken == Boast && strings.HasSuffix(r.URL.Path, "/register"):
		var c assign.Capacity
		if json.Unmarshal(edited, &c) == nil {
			c.RAM, c.VCPUs, c.Disk = 4*c.RAM, 4*c.VCPUs, 4*c.Disk
			edited, _ = json.Marshal(c)
		}
	case w.broken == DropReport && strings.HasSuffix(r.URL.Path, "/report") && w.net.IntN(3) == 0:
		edited, _ = json.Marshal(assign.Report{HostID: h.id})
	}
	r.Body = readCloser{bytes.NewReader(edited)}
}

type readCloser struct{ *bytes.Reader }

// Close implements io.Closer.
func (readCloser) Close() error { return nil }

// confirmEarly says in a host's name that what was just deleted is gone.
func (w *world) confirmEarly(e entry) {
	c, ok := e.env.Command.(*command.ServerDelete)
	if w.broken != EarlyConfirm || !ok || !e.fresh() {
		return
	}
	p := e.after.Permit(c.ID)
	if p == nil {
		return
	}
	lie := &command.HostReport{HostID: p.HostID, Guests: []command.GuestObserved{{ID: c.ID, Permit: p.Number, State: string(assign.Removed)}}}
	w.in(0, func() { w.must(command.By{System: command.HostBy + string(p.HostID)}, lie) })
}

// withoutPermits drops the permits from a snapshot, and makes its header fit
// again: a writer that forgot a table.
func withoutPermits(snapshot []byte) []byte {
	var head map[string]any
	var rows [][]byte
	var hi, lo uint64
	in := bufio.NewScanner(bytes.NewReader(snapshot))
	in.Buffer(nil, len(snapshot)+1)
	for first := true; in.Scan(); first = false {
		if first {
			dec := json.NewDecoder(bytes.NewReader(in.Bytes()))
			dec.UseNumber()
			if err := dec.Decode(&head); err != nil {
				panic("sim: snapshot header: " + err.Error())
			}
			continue
		}
		var l struct {
			T string
			R json.RawMessage
		}
		if json.Unmarshal(in.Bytes(), &l) == nil && l.T == "permits" {
			var p model.Permit
			if err := canon.Decode(l.R, &p); err != nil {
				panic("sim: a permit in a snapshot: " + err.Error())
			}
			rowHi, rowLo := canon.Hash(l.T, &p)
			var carry uint64
			lo, carry = bits.Add64(lo, rowLo, 0)
			hi, _ = bits.Add64(hi, rowHi, carry)
			continue
		}
		rows = append(rows, bytes.Clone(in.Bytes()))
	}
	return withHeader(head, rows, hi, lo)
}

func withHeader(head map[string]any, rows [][]byte, hi, lo uint64) []byte {
	var oldHi, oldLo uint64
	_, err := fmt.Sscanf(fmt.Sprint(head["hash"]), "%16x%16x", &oldHi, &oldLo)
	if err != nil {
		panic("sim: snapshot hash: " + err.Error())
	}
	oldLo, borrow := bits.Sub64(oldLo, lo, 0)
	oldHi, _ = bits.Sub64(oldHi, hi, borrow)
	head["hash"] = fmt.Sprintf("%016x%016x", oldHi, oldLo)
	head["rows"] = len(rows)
	out, err := json.Marshal(head)
	if err != nil {
		panic("sim: snapshot header: " + err.Error())
	}
	return append(append(out, '\n'), append(bytes.Join(rows, []byte{'\n'}), '\n')...)
}
