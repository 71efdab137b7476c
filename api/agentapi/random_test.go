package agentapi

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
)

// random makes up what happens in a cloud of two nodes; it implements
// command.Gen.
type random struct {
	c    *cloud
	rng  *rand.Rand
	menu []string
}

// sealedOpener leaves what is made up, and was never sealed, as it is.
type sealedOpener struct{}

func (sealedOpener) Open(_ string, sealed []byte) ([]byte, error) { return sealed, nil }

func newRandom(t *testing.T, seed uint64) *random {
	r := &random{c: &cloud{t: t}, rng: rand.New(rand.NewPCG(seed, 7)), menu: command.Kinds()}
	for range 2 {
		r.c.add(sealedOpener{})
	}
	r.c.must(command.By{System: command.Bootstrap}, command.Example("cluster.init/1"))
	for range 4 {
		r.menu = append(r.menu, "server.create/1", "servers.place/1", "host.report/1", "server.power/1", "image.upload/1", "network.create/1", "subnet.create/1")
	}
	return r
}

// some lets a few things happen.
func (r *random) some() {
	for range 1 + r.Intn(6) {
		if x, by, ok := command.Work(r.menu[r.Intn(len(r.menu))], r); ok {
			r.c.apply(by, x) // may be refused
		}
	}
}

// View implements command.Gen.
func (r *random) View() state.View { return r.c.nodes[0].machine.View() }

// Intn implements command.Gen.
func (r *random) Intn(n int) int { return r.rng.IntN(n) }

// Hex implements command.Gen.
func (r *random) Hex() string { return fmt.Sprintf("%016x%016x", r.rng.Uint64(), r.rng.Uint64()) }

// UUID implements command.Gen.
func (r *random) UUID() string {
	h := r.Hex()
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
}
