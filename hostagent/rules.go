package hostagent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
)

// Rules are the times and limits that Next decides by.
type Rules struct {
	// StopTimeout is how long a guest that is to be off may take to shut down
	// before it is killed; RebootTimeout is the same for a soft reboot.
	StopTimeout, RebootTimeout time.Duration
	// BackoffMin and BackoffMax bound the wait after a failed step, which
	// doubles with each failure.
	BackoffMin, BackoffMax time.Duration
	// MaxCrashes is how many times in a row a guest that went down without
	// being asked is started again; one that ran for CrashWindow starts
	// counting anew.
	MaxCrashes  int
	CrashWindow time.Duration
}

// DefaultRules are the rules of a host that was told nothing else.
func DefaultRules() Rules {
	return Rules{
		StopTimeout:   time.Minute,
		RebootTimeout: time.Minute,
		BackoffMin:    time.Second,
		BackoffMax:    time.Minute,
		MaxCrashes:    5,
		CrashWindow:   10 * time.Minute,
	}
}

// filled puts the default in place of every rule that was not given.
func (r Rules) filled() Rules {
	d := DefaultRules()
	for _, p := range []struct{ have, def *time.Duration }{
		{&r.StopTimeout, &d.StopTimeout}, {&r.RebootTimeout, &d.RebootTimeout},
		{&r.BackoffMin, &d.BackoffMin}, {&r.BackoffMax, &d.BackoffMax}, {&r.CrashWindow, &d.CrashWindow},
	} {
		if *p.have <= 0 {
			*p.have = *p.def
		}
	}
	if r.MaxCrashes <= 0 {
		r.MaxCrashes = d.MaxCrashes
	}
	return r
}

// Backoff is the wait after the n-th failure in a row (n from 1): doubling,
// bounded and without chance, so that a replay waits the same.
func (r Rules) Backoff(n int) time.Duration {
	d := r.BackoffMin
	for i := 1; i < n && d < r.BackoffMax; i++ {
		d *= 2
	}
	return min(d, r.BackoffMax)
}

// Spread is Backoff less up to half of it, by the host: the hosts of a control
// plane that was away do not come back to it all at once.
func (r Rules) Spread(host string, n int) time.Duration {
	d := r.Backoff(n)
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", host, n)
	return d - time.Duration(h.Sum64()%uint64(d/2+1))
}

// Want is what is wanted of one guest. The zero Want is that of a guest that
// nobody knows.
type Want struct {
	// Known says that the desired state has this guest.
	Known bool
	// Confirmed says that the control plane itself, not only the ledger, stands by
	// the desired state: it said so under the lease that the host holds still.
	Confirmed bool
	Guest     assign.Guest
	// Networks has the network of each of Guest.NICs, in order; one that the
	// desired state does not describe has an empty ID.
	Networks []assign.Network
	// Definition is a digest of all that a domain is made from.
	Definition string
}

// Wish is what a failure is remembered against: as long as it is the same,
// what failed for good is not tried again.
type Wish struct {
	Permit      uint64       `json:"permit,omitempty"`
	Power       assign.Power `json:"power,omitempty"`
	PowerEpoch  uint64       `json:"power_epoch,omitempty"`
	RebootEpoch uint64       `json:"reboot_epoch,omitempty"`
	Definition  string       `json:"definition,omitempty"`
}

// Wish is the part of w that decides anew when it changes.
func (w Want) Wish() Wish {
	g := w.Guest
	return Wish{Permit: g.Permit, Power: g.Power, PowerEpoch: g.PowerEpoch,
		RebootEpoch: g.RebootEpoch, Definition: w.Definition}
}

// newWant makes the Want of one guest of a desired state.
func newWant(g assign.Guest, networks map[string]assign.Network, confirmed bool) Want {
	w := Want{Known: true, Confirmed: confirmed, Guest: g, Definition: definition(g)}
	for _, nic := range g.NICs {
		w.Networks = append(w.Networks, networks[nic.NetworkID])
	}
	return w
}

// definition is the digest of what a domain is made from: not of the wishes,
// and not of what only the metadata service answers with.
func definition(g assign.Guest) string {
	g.Permit, g.Power, g.PowerEpoch, g.RebootEpoch, g.RebootHard = 0, "", 0, 0, false
	// Whether a port is down is the filter's matter.
	g.NICs = slices.Clone(g.NICs)
	for i := range g.NICs {
		g.NICs[i].Down = false
	}
	g.Zone, g.LaunchIndex, g.ReservationID, g.Metadata, g.Key, g.UserData, g.Password = "", 0, "", nil, nil, nil, nil
	b, err := json.Marshal(g)
	if err != nil {
		// Only channels, functions and cycles fail to marshal; a guest has none.
		panic("hostagent: guest does not encode: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// guestImages lists the images that g is made from.
func guestImages(g assign.Guest) []assign.Image {
	var all []assign.Image
	for _, i := range []*assign.Image{&g.Image, g.Kernel, g.Ramdisk} {
		if i != nil && i.SHA256 != "" {
			all = append(all, *i)
		}
	}
	return all
}
