package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/cloud"
	"github.com/kvorum/kvorum/jepsen/disk"
	"github.com/kvorum/kvorum/jepsen/faultnet"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// Env is the cluster of a run, as workloads and faults see it.
type Env struct {
	Cloud    *cloud.Cloud
	History  *History
	Clock    clock.Clock
	Workload Workload
	// Net is the network between all machines, and this process.
	Net *faultnet.Switch
	// Disks are those of the control nodes, by name, where they can be broken.
	Disks map[string]*disk.Disk
	// Dir is the run's folder: logs and data folders lie below it.
	Dir string
}

// Pause waits, unless ctx ends.
func (e *Env) Pause(ctx context.Context, d time.Duration) { _ = clock.Sleep(ctx, e.Clock, d) }

// Wait looks until ok, for at most so long.
func (e *Env) Wait(ctx context.Context, d time.Duration, what string, ok func() bool) error {
	until := e.Clock.Mono() + d
	for !ok() {
		if e.Clock.Mono() > until {
			return fmt.Errorf("waited %v in vain for %s", d, what)
		}
		if err := clock.Sleep(ctx, e.Clock, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// API connects to a control node.
func (e *Env) API(h *testbed.Host) *API {
	return NewAPI(h.Name(), cloud.PublicURL(h), (&net.Dialer{Timeout: 3 * time.Second}).DialContext)
}

// Control finds a control node by name.
func (e *Env) Control(name string) *testbed.Host {
	i := slices.IndexFunc(e.Cloud.Controls, func(h *testbed.Host) bool { return h.Name() == name })
	return e.Cloud.Controls[i]
}

// names are the names of machines.
func names(hosts ...*testbed.Host) (out []string) {
	for _, h := range hosts {
		out = append(out, h.Name())
	}
	return out
}

// some picks n of a list.
func some[T any](rng *rand.Rand, list []T, n int) []T {
	list = slices.Clone(list)
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:n]
}

// socket is where a process of a machine takes the orders of failpoints.
func socket(h *testbed.Host, process string) string {
	return filepath.Join(h.DataDir(), process+".faults")
}
