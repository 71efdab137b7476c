package testbed

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// The switch is a namespace with two bridges. A host's eth0 is port m-HOST of
// mgmt, unless a Wire carries it; its eth1 is port d-HOST of data.
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
	return r.makeUplink(ctx)
}

// makeUplink gives the root namespace its link.
func (r *Rack) makeUplink(ctx context.Context) error {
	up := r.state.uplinkName()
	at := netip.PrefixFrom(nth(r.state.Range, -3), r.state.Range.Bits())
	if r.wire != nil {
		return r.wire.Plug(ctx, rootName, "", up, at)
	}
	for _, words := range []string{
		"ip link add " + up + " type veth peer name m-root netns " + r.state.netns(switchName),
		"ip addr add " + at.String() + " dev " + up,
		"ip link set " + up + " up",
	} {
		if err := r.run(ctx, strings.Fields(words)...); err != nil {
			return err
		}
	}
	return r.ip(ctx, switchName, "link set m-root master "+mgmtBridge+" up")
}

func (r *Rack) steps(ctx context.Context, space string, steps []string) error {
	for _, words := range steps {
		if err := r.ip(ctx, space, words); err != nil {
			return err
		}
	}
	return nil
}

// plug wires a host's two links to the switch, and gives eth0 its address.
func (r *Rack) plug(ctx context.Context, h *Host) error {
	at := netip.PrefixFrom(h.address, r.state.Range.Bits())
	if r.wire != nil {
		var beyond []netip.Prefix
		if h.name == outsideName {
			beyond = append(beyond, netip.MustParsePrefix("0.0.0.0/0"))
		}
		if err := r.wire.Plug(ctx, h.name, netnsPath(h.Netns()), "eth0", at, beyond...); err != nil {
			return err
		}
	} else {
		if err := h.bridge(ctx, 0, "m-"+h.name, mgmtBridge); err != nil {
			return err
		}
		if err := r.ip(ctx, h.name, "addr add "+at.String()+" dev eth0"); err != nil {
			return err
		}
	}
	if err := h.bridge(ctx, 1, "d-"+h.name, dataBridge); err != nil {
		return err
	}
	return r.ip(ctx, h.name, "link set lo up")
}

// bridge makes the host's n-th link, whose other end is a port of a bridge. Its
// hardware address is the host's for ever: neighbours remember it over a power
// cut.
func (h *Host) bridge(ctx context.Context, n int, port, bridge string) error {
	r, link := h.rack, fmt.Sprintf("eth%d", n)
	peer := "link add " + port + " type veth peer name " + link + " address " + h.hardware(n) + " netns " + r.state.netns(h.name)
	if err := r.ip(ctx, switchName, peer); err != nil {
		return err
	}
	if err := r.ip(ctx, switchName, "link set "+port+" master "+bridge+" up"); err != nil {
		return err
	}
	return r.ip(ctx, h.name, "link set "+link+" up")
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
	if err := r.wired(); err != nil {
		return err
	}
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
					fmt.Fprintf(&rules, "  iifname \"m-%s\" oifname \"m-%s\" drop\n", name, far)
					fmt.Fprintf(&rules, "  iifname \"d-%s\" oifname \"d-%s\" drop\n", name, far)
				}
			}
		}
	}
	rules.WriteString(" }\n}\n")
	if err := r.feed(ctx, rules.String(), "ip", "netns", "exec", r.state.netns(switchName), "nft", "-f", "-"); err != nil || r.wire == nil {
		return err
	}
	return r.wire.Part(sides...)
}

// Heal ends a partition.
func (r *Rack) Heal(ctx context.Context) error { return r.Partition(ctx) }

// Unplug takes the host's cables out: both links lose their carrier.
func (h *Host) Unplug(ctx context.Context) error { return h.cables(ctx, false) }

// Plug puts them back.
func (h *Host) Plug(ctx context.Context) error { return h.cables(ctx, true) }

func (h *Host) cables(ctx context.Context, in bool) error {
	if h.name == outsideName {
		return errs.Errorf("testbed.cables", errs.Invalid, "the outside has no cables")
	}
	if err := h.rack.wired(); err != nil {
		return err
	}
	to := map[bool]string{true: " up", false: " down"}[in]
	if err := h.rack.ip(ctx, switchName, "link set d-"+h.name+to); err != nil {
		return err
	}
	if h.rack.wire != nil {
		return h.rack.wire.Cable(h.name, in)
	}
	return h.rack.ip(ctx, switchName, "link set m-"+h.name+to)
}
