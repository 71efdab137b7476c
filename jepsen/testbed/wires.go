package testbed

import (
	"context"
	"fmt"
	"hash/fnv"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// The switch is a namespace with two bridges. A host's eth0 is port m-HOST of
// mgmt, its eth1 is port d-HOST of data.
const (
	mgmtBridge = "mgmt"
	dataBridge = "data"
)

func (r *Rack) makeSwitch(ctx context.Context) error {
	if err := r.run(ctx, "ip", "netns", "add", r.state.netns(switchName)); err != nil {
		return err
	}
	steps := []string{
		"link set lo up",
		"link add " + mgmtBridge + " type bridge",
		"link set " + mgmtBridge + " up",
		"link add " + dataBridge + " type bridge",
		"link set " + dataBridge + " up",
	}
	if err := r.steps(ctx, switchName, steps); err != nil {
		return err
	}
	if !r.state.Uplink {
		return nil
	}
	up := r.state.uplinkName()
	addr := fmt.Sprintf("%v/%d", nth(r.state.Range, -3), r.state.Range.Bits())
	for _, words := range []string{
		"ip link add " + up + " type veth peer name m-root netns " + r.state.netns(switchName),
		"ip addr add " + addr + " dev " + up,
		"ip link set " + up + " up",
	} {
		if err := r.run(ctx, strings.Fields(words)...); err != nil {
			return err
		}
	}
	return r.steps(ctx, switchName, []string{"link set m-root master " + mgmtBridge + " up"})
}

func (r *Rack) steps(ctx context.Context, space string, steps []string) error {
	for _, words := range steps {
		if err := r.ip(ctx, space, words); err != nil {
			return err
		}
	}
	return nil
}

// wire connects the host's two links to the switch. Their hardware addresses are
// the host's for ever: neighbours remember them over a power cut.
func (h *Host) wire(ctx context.Context) error {
	r, host := h.rack, h.name
	for i, w := range []struct{ link, port, bridge string }{
		{"eth0", "m-" + host, mgmtBridge},
		{"eth1", "d-" + host, dataBridge},
	} {
		peer := "link add " + w.port + " type veth peer name " + w.link + " address " + h.hardware(i) + " netns " + r.state.netns(host)
		if err := r.ip(ctx, switchName, peer); err != nil {
			return err
		}
		if err := r.ip(ctx, switchName, "link set "+w.port+" master "+w.bridge+" up"); err != nil {
			return err
		}
		if err := r.ip(ctx, host, "link set "+w.link+" up"); err != nil {
			return err
		}
	}
	return r.ip(ctx, host, "link set lo up")
}

// hardware is the address of the host's n-th link: locally administered, drawn
// from the host's UUID.
func (h *Host) hardware(n int) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(h.uuid))
	b := sum.Sum32()
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", n, byte(b>>24), byte(b>>16), byte(b>>8), byte(b))
}

// Partition lets hosts of different sides no longer hear each other, on both
// wires. A host on no side hears all. It replaces an earlier partition. The
// outside is called "outside".
func (r *Rack) Partition(ctx context.Context, sides ...[]string) error {
	var rules strings.Builder
	// A table is emptied by naming, deleting and making it again, in one transaction.
	rules.WriteString("table bridge cut\ndelete table bridge cut\ntable bridge cut {\n chain forward {\n  type filter hook forward priority 0\n")
	for i, side := range sides {
		for _, name := range side {
			if _, err := r.Host(name); err != nil {
				return err
			}
			for j, other := range sides {
				if i == j {
					continue
				}
				for _, far := range other {
					fmt.Fprintf(&rules, "  iifname \"m-%s\" oifname \"m-%s\" counter drop\n", name, far)
					fmt.Fprintf(&rules, "  iifname \"d-%s\" oifname \"d-%s\" counter drop\n", name, far)
				}
			}
		}
	}
	rules.WriteString(" }\n}\n")
	return r.feed(ctx, rules.String(), "ip", "netns", "exec", r.state.netns(switchName), "nft", "-f", "-")
}

// Dropped is how many frames the present partition has kept back.
func (r *Rack) Dropped(ctx context.Context) (frames uint64, err error) {
	out, err := exec.CommandContext(ctx, "ip", "netns", "exec", r.state.netns(switchName), "nft", "-j", "list", "table", "bridge", "cut").Output()
	if err != nil {
		return 0, errs.E("testbed.dropped", errs.Internal, "", err)
	}
	for _, m := range packetCount.FindAllSubmatch(out, -1) {
		n, err := strconv.ParseUint(string(m[1]), 10, 64)
		if err != nil {
			return 0, errs.E("testbed.dropped", errs.Internal, "", err)
		}
		frames += n
	}
	return frames, nil
}

var packetCount = regexp.MustCompile(`"packets": ?([0-9]+)`)

// Heal ends a partition.
func (r *Rack) Heal(ctx context.Context) error { return r.Partition(ctx) }

// Unplug takes the host's cables out: both links lose their carrier.
func (h *Host) Unplug(ctx context.Context) error { return h.cables(ctx, "down") }

// Plug puts them back.
func (h *Host) Plug(ctx context.Context) error { return h.cables(ctx, "up") }

func (h *Host) cables(ctx context.Context, to string) error {
	if h.name == outsideName {
		return errs.Errorf("testbed.cables", errs.Invalid, "the outside has no cables")
	}
	return h.rack.steps(ctx, switchName, []string{
		"link set m-" + h.name + " " + to,
		"link set d-" + h.name + " " + to,
	})
}
