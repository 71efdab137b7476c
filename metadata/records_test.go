package metadata

import "net/netip"

// rich uses every field; minimal has only what each server has.
func rich() Record {
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	return Record{
		UUID: "6f2f29a4-0f3e-4d0c-9c58-2b1f6a1f4c11", Name: "Web <1> & co", Hostname: "web-1", Domain: "novalocal",
		Num: 0x1a2b, ImageNum: 3, KernelNum: 4, RamdiskNum: 5, LaunchIndex: 2,
		ReservationID: "r-abcdef12", FlavorName: "m1.small", Zone: "nova", ProjectID: "0123456789abcdef0123456789abcdef",
		Metadata: map[string]string{"role": "web", "a": "ä"},
		Keys: []Key{
			{Name: "laptop", Type: "ssh", PublicKey: "ssh-ed25519 AAAAC3Nza laptop\n"},
			{Name: "desk", PublicKey: "ssh-rsa AAAAB3Nza desk"},
		},
		UserData: []byte("#!/bin/sh\necho hi\n"), VendorData: []byte(` {"cloud-init": "#cloud-config"} `),
		RandomSeed: []byte{0, 1, 2, 0xfe, 0xff}, Password: "c2VjcmV0",
		SecurityGroups: []string{"default", "web"}, PublicIPv4: addr("203.0.113.9"),
		NICs: []NIC{
			{
				PortID: "11111111-aaaa-4000-8000-000000000001", NetworkID: "22222222-bbbb-4000-8000-000000000001",
				MAC: "fa:16:3e:00:00:01", MTU: 1450, Tap: "tap11111111-aa",
				Addresses: []Address{
					{IP: addr("10.0.0.5"), Prefix: prefix("10.0.0.0/24"), Gateway: addr("10.0.0.1"), DHCP: true,
						DNS: []netip.Addr{addr("10.0.0.1")}},
					{IP: addr("10.0.1.5"), Prefix: prefix("10.0.1.0/24")},
					{IP: addr("fd00::5"), Prefix: prefix("fd00::/64"), Gateway: addr("fd00::1"), Mode: SLAAC,
						DNS: []netip.Addr{addr("fd00::53")}},
				},
			},
			{
				PortID: "11111111-aaaa-4000-8000-000000000002", NetworkID: "22222222-bbbb-4000-8000-000000000002",
				MAC: "fa:16:3e:00:00:02", MTU: 9000,
				Addresses: []Address{
					{IP: addr("192.0.2.7"), Prefix: prefix("192.0.2.0/25"), Gateway: addr("192.0.2.1"),
						DNS:    []netip.Addr{addr("10.0.0.1"), addr("192.0.2.53")},
						Routes: []Route{{Destination: prefix("198.51.100.0/22"), NextHop: addr("192.0.2.2")}}},
					{IP: addr("2001:db8::7"), Prefix: prefix("2001:db8::/48"), Gateway: addr("2001:db8::1"),
						Routes: []Route{{Destination: prefix("2001:db8:f::/56"), NextHop: addr("2001:db8::2")}}},
				},
			},
			{PortID: "11111111-aaaa-4000-8000-000000000003", MAC: "fa:16:3e:00:00:03"},
			{
				PortID: "11111111-aaaa-4000-8000-000000000004", NetworkID: "22222222-bbbb-4000-8000-000000000004",
				MAC: "fa:16:3e:00:00:04", MTU: 1500,
				Addresses: []Address{
					{IP: addr("fd01::9"), Prefix: prefix("fd01::/64"), DHCP: true, Mode: DHCPv6Stateful},
				},
			},
		},
		BlockDevices: map[string]string{"ami": "vda", "root": "/dev/vda", "ebs0": "/dev/vdb"},
	}
}

func minimal() Record {
	return Record{
		UUID: "00000000-0000-4000-8000-000000000001", Name: "a", Hostname: "a", Domain: "novalocal", Num: 1, ImageNum: 1,
		ReservationID: "r-1", FlavorName: "m1.tiny", Zone: "nova", ProjectID: "p",
	}
}
