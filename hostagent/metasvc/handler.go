package metasvc

import (
	"crypto/rand"
	"net/http"

	"github.com/kvorum/kvorum/hostagent/netsvc"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/metadata"
)

// seedBytes is how many random bytes each answer offers the guest.
const seedBytes = 512

// Handler answers the guests of a host from what desired gives.
func Handler(desired func() (assign.Desired, bool)) http.Handler {
	find := func(r *http.Request) (metadata.Record, bool) {
		who, ok := netsvc.CallerOf(r.Context())
		if !ok {
			return metadata.Record{}, false
		}
		d, ok := desired()
		if !ok {
			return metadata.Record{}, false
		}
		rec, ok := Find(d, who.Network, who.Addr)
		if ok {
			rec.RandomSeed = make([]byte, seedBytes)
			rand.Read(rec.RandomSeed)
		}
		return rec, ok
	}
	return metadata.Handler(find)
}
