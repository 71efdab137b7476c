package testbed

import (
	"net/netip"
	"path/filepath"
	"regexp"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Options say what a rack is like. The zero value of all but Prefix and Dir
// is a good choice.
type Options struct {
	// Prefix begins the name of all that the rack makes in places shared with
	// others. 1 to 6 lower-case letters and digits, beginning with a letter;
	// one rack of a prefix at a time on a machine.
	Prefix string
	// Dir holds the rack's state, sockets, logs and disks; absolute, at most
	// 48 bytes long because unix sockets lie below it. It must not exist, or
	// be empty. Guests run as a user without rights: every folder above it
	// must be open to all.
	Dir string
	// Range is where hosts' addresses come from: IPv4, at least a /24.
	// Default 10.231.0.0/16.
	Range netip.Prefix
	// External is the outer network that the outside has its own address (the
	// first) in, on the wire of guests' networks. Default 198.51.100.0/24.
	External netip.Prefix
	// Uplink gives the root namespace an address in Range (the last but one),
	// so that people on the machine reach the hosts. Two racks with an uplink
	// need ranges that do not overlap.
	Uplink bool
	// QemuUser is the user guests run as. Default: libvirt's own.
	QemuUser string
	// Own are folders of the machine that each host has to itself, such as /etc:
	// it sees what the machine has there, and what it writes there no other sees.
	// None may lie within another.
	Own []string
	// Wire carries eth0 in place of the rack's bridge, if it is set. It is the
	// caller's, for this rack alone, and closed after the rack: what holds its
	// links holds the namespaces too. A process that attaches to the rack later
	// can neither add hosts nor part them.
	Wire Wire
	// Clock measures the waits. Default: the machine's.
	Clock clock.Clock
}

var (
	prefixRule = regexp.MustCompile(`^[a-z][a-z0-9]{0,5}$`)
	ownRule    = regexp.MustCompile(`^(/[\w.-]+)+$`)
	// A host's name with "m-" before it must fit into a link's name (15).
	hostRule = regexp.MustCompile(`^[a-z][a-z0-9-]{0,11}$`)
)

const (
	maxDir   = 48
	maxHosts = 200
	// worldAddress is an address of the outside beyond any of its networks:
	// what a guest reaches only through a route and NAT.
	worldAddress = "203.0.113.1"
)

func (o *Options) check() error {
	const op = "testbed.options"
	if !prefixRule.MatchString(o.Prefix) {
		return errs.Errorf(op, errs.Invalid, "prefix %q is not 1 to 6 lower-case letters and digits", o.Prefix)
	}
	if !filepath.IsAbs(o.Dir) || filepath.Clean(o.Dir) != o.Dir || len(o.Dir) > maxDir || o.Dir == "/" {
		return errs.Errorf(op, errs.Invalid, "dir %q is not a clean absolute path of at most %d bytes", o.Dir, maxDir)
	}
	if !o.Range.IsValid() {
		o.Range = netip.MustParsePrefix("10.231.0.0/16")
	}
	if !o.External.IsValid() {
		o.External = netip.MustParsePrefix("198.51.100.0/24")
	}
	for _, p := range []netip.Prefix{o.Range, o.External} {
		if !p.Addr().Is4() || p.Bits() > 24 || p.Masked() != p {
			return errs.Errorf(op, errs.Invalid, "%v is not an IPv4 network of at least a /24", p)
		}
	}
	for _, folder := range o.Own {
		if !ownRule.MatchString(folder) {
			return errs.Errorf(op, errs.Invalid, "%q is no folder that hosts can have to themselves", folder)
		}
	}
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	return nil
}

// nth gives the n-th address of an IPv4 network; a negative n counts from the
// end, -1 being the broadcast address.
func nth(p netip.Prefix, n int) netip.Addr {
	b := p.Addr().As4()
	base := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	if n < 0 {
		base += 1 << (32 - p.Bits())
	}
	base += uint32(int32(n))
	return netip.AddrFrom4([4]byte{byte(base >> 24), byte(base >> 16), byte(base >> 8), byte(base)})
}
