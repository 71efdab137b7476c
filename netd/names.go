package netd

import (
	"strconv"
	"strings"
)

// Names makes every name that a host gives to a link, namespace or table. It
// is the configured prefix. Names are at most 15 bytes, the kernel's limit.
type Names string

// valid tells whether n can be a prefix: at most three characters, so that
// the longest name (both numbers in base 36) still fits.
func (n Names) valid() bool {
	return len(n) >= 1 && len(n) <= 3 && n[0] >= 'a' && n[0] <= 'z' && isNumber(string(n))
}

func num(v uint32) string { return strconv.FormatUint(uint64(v), 36) }

// Bridge is the name of a network's bridge.
func (n Names) Bridge(network uint32) string { return string(n) + "b" + num(network) }

// Tap is the name of a port's link on the host: the prefix, "t" and the first
// eleven letters and digits of the port's id.
func (n Names) Tap(portID string) string {
	id := strings.ReplaceAll(portID, "-", "")
	return string(n) + "t" + id[:min(11, len(id))]
}

// RouterSpace is the name of a router's namespace.
func (n Names) RouterSpace(router uint32) string { return string(n) + "r" + num(router) }

// NetworkSpace is the name of the namespace of a network without router.
func (n Names) NetworkSpace(network uint32) string { return string(n) + "n" + num(network) }

// Gateway is the pair of links between a network's bridge (outer) and a
// namespace (inner); router is negative for the network's own namespace.
func (n Names) Gateway(network uint32, router int64) (outer, inner string) {
	tail := num(network)
	if router >= 0 {
		tail += "-" + num(uint32(router))
	}
	return string(n) + "g" + tail, string(n) + "i" + tail
}

// Uplink is the pair of links between the root namespace and a router's.
func (n Names) Uplink(router uint32) (outer, inner string) {
	return string(n) + "u" + num(router), string(n) + "x" + num(router)
}

// Tunnel is the name of a network's link to the other hosts.
func (n Names) Tunnel(network uint32) string { return string(n) + "v" + num(network) }

// Table is the name of our nft tables.
func (n Names) Table() string { return string(n) }

// wild is the nft pattern for all links of a role.
func (n Names) wild(role string) string { return `"` + string(n) + role + `*"` }

// Owns tells whether name is one that we give to links of one of the roles
// (a string of role letters).
func (n Names) Owns(name, roles string) bool {
	rest, ok := strings.CutPrefix(name, string(n))
	if !ok || n == "" || len(name) > 15 || len(rest) < 2 || !strings.ContainsRune(roles, rune(rest[0])) {
		return false
	}
	a, b, pair := strings.Cut(rest[1:], "-")
	return isNumber(a) && (!pair || isNumber(b))
}

// OwnsTap tells whether name is one that Tap could give.
func (n Names) OwnsTap(name string) bool { return n.Owns(name, "t") && !strings.Contains(name, "-") }

// OwnsSpace tells whether name is a namespace of ours.
func (n Names) OwnsSpace(name string) bool { return n.Owns(name, "rn") && !strings.Contains(name, "-") }

func isNumber(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}
