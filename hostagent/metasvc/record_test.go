package metasvc

import (
	"net/netip"
	"testing"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/metadata"
)

func desired() assign.Desired {
	nic := func(net, ip string) []assign.NIC {
		return []assign.NIC{{PortID: "p" + net + ip, NetworkID: net, MAC: "fa:16:3e:00:00:01", Addresses: []string{ip}}}
	}
	return assign.Desired{
		Guests: []assign.Guest{
			{ID: "one", Num: 1, Hostname: "web", Power: assign.On, NICs: nic("a", "10.0.0.5"), UserData: []byte("#!"),
				Key: &assign.Key{Name: "k", Type: "ssh", PublicKey: "ssh-ed25519 AAAA"}, Image: assign.Image{Num: 4}},
			{ID: "two", Num: 2, Power: assign.On, NICs: nic("b", "10.0.0.5")},
			{ID: "gone", Num: 3, Power: assign.Gone, NICs: nic("a", "10.0.0.6")},
			{ID: "x", Num: 4, Power: assign.On, NICs: nic("a", "10.0.0.7")},
			{ID: "y", Num: 5, Power: assign.On, NICs: nic("a", "10.0.0.7")},
		},
		Networks: []assign.Network{{ID: "a", MTU: 1450, Subnets: []assign.Subnet{{CIDR: "10.0.0.0/24", Gateway: "10.0.0.1", DHCP: true, DNS: []string{"192.0.2.1"}}}}},
	}
}

func TestFindByNetworkAndAddressOnly(t *testing.T) {
	for _, tc := range []struct{ net, ip, want string }{
		{"a", "10.0.0.5", "one"}, {"b", "10.0.0.5", "two"}, {"b", "10.0.0.6", ""}, {"a", "10.0.0.6", ""},
		{"a", "10.0.0.7", ""}, {"c", "10.0.0.5", ""}, {"a", "::ffff:10.0.0.5", "one"},
	} {
		rec, ok := Find(desired(), tc.net, netip.MustParseAddr(tc.ip))
		if rec.UUID != tc.want || ok != (tc.want != "") {
			t.Errorf("%s on %s: found %q", tc.ip, tc.net, rec.UUID)
		}
	}
}

func TestRecordSaysWhatTheGuestNeeds(t *testing.T) {
	rec, _ := Find(desired(), "a", netip.MustParseAddr("10.0.0.5"))
	for path, want := range map[string]string{
		"/latest/meta-data/instance-id":               "i-00000001",
		"/latest/meta-data/ami-id":                    "ami-00000004",
		"/latest/meta-data/hostname":                  "web.novalocal",
		"/latest/meta-data/local-ipv4":                "10.0.0.5",
		"/latest/meta-data/public-keys/0/openssh-key": "ssh-ed25519 AAAA",
		"/latest/user-data":                           "#!",
		// The one disk that guests have, and none that they have not.
		"/latest/meta-data/block-device-mapping/":     "ami\nroot",
		"/latest/meta-data/block-device-mapping/ami":  "vda",
		"/latest/meta-data/block-device-mapping/root": "/dev/vda",
	} {
		body, _, ok := metadata.Lookup(rec, path)
		if !ok || string(body) != want {
			t.Errorf("%s = %q, %v; want %q", path, body, ok, want)
		}
	}
}
