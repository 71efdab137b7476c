package metasvc

import (
	"context"
	"crypto/rand"
	"net/http"

	"github.com/kvorum/kvorum/hostagent/netsvc"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/metadata"
)

// seedBytes is how many random bytes each answer offers the guest.
const seedBytes = 512

// Handler answers the guests of a host from what desired gives. keep tells the
// control plane what a guest posted as its password; the host is for it to fill
// in.
func Handler(desired func() (assign.Desired, bool), keep func(context.Context, assign.Password) error) http.Handler {
	find := func(r *http.Request) (metadata.Record, bool) {
		d, i, ok := asks(r, desired)
		if !ok {
			return metadata.Record{}, false
		}
		rec := Record(d, d.Guests[i])
		rec.RandomSeed = make([]byte, seedBytes)
		rand.Read(rec.RandomSeed)
		return rec, true
	}
	return metadata.Handler(find, func(r *http.Request, _ metadata.Record, text string) int {
		d, i, ok := asks(r, desired)
		if !ok {
			return http.StatusNotFound
		}
		err := keep(r.Context(), assign.Password{Guest: d.Guests[i].ID, Permit: d.Guests[i].Permit, Text: text})
		switch {
		case err == nil:
			return http.StatusOK
		case errs.KindOf(err).Retryable(), errs.Is(err, errs.Internal):
			return http.StatusServiceUnavailable // the guest may try again
		}
		return errs.KindOf(err).HTTPStatus()
	})
}

// asks finds the guest that a request comes from, and its place in what desired
// gives.
func asks(r *http.Request, desired func() (assign.Desired, bool)) (assign.Desired, int, bool) {
	who, ok := netsvc.CallerOf(r.Context())
	if !ok {
		return assign.Desired{}, 0, false
	}
	d, ok := desired()
	if !ok {
		return assign.Desired{}, 0, false
	}
	i, ok := find(d, who.Network, who.Addr)
	return d, i, ok
}
