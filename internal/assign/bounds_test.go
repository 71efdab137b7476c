package assign

import (
	"net/netip"
	"testing"
)

func TestRangesOfGuests(t *testing.T) {
	for text, fits := range map[string]bool{
		"10.0.0.0/8": true, "192.168.1.0/24": true, "172.16.0.0/12": true, "203.0.113.0/30": true, "100.128.0.0/10": true, "99.0.0.0/8": true,
		"100.64.0.0/10": false, "100.127.255.0/24": false, "100.0.0.0/8": false, "127.0.0.0/24": false, "169.254.169.0/24": false,
		"169.0.0.0/8": false, "224.0.0.0/24": false, "240.0.0.0/24": false, "255.255.255.0/30": false, "0.0.0.0/8": false,
		"fd00::/64": false, "::ffff:10.0.0.0/120": false,
	} {
		if why := CheckRange(netip.MustParsePrefix(text)); (why == "") != fits {
			t.Errorf("%s: %q", text, why)
		}
	}
}
