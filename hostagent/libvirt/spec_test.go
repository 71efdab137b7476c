package libvirt

import (
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
)

const testID = "7d1f4a52-3c0e-4b6e-9a55-0f3d2c1b8e70"

// testSpec is the smallest whole specification.
func testSpec() hostagent.Spec {
	return hostagent.Spec{
		Guest: assign.Guest{
			ID: testID, Num: 42, Permit: 1017, Power: assign.On, Name: "web-1", ProjectID: "7c0ffee0",
			VCPUs: 1, RAM: 96, Flavor: "m1.nano",
			Image: assign.Image{ID: "img", SHA256: "aa11", Format: "qcow2"},
		},
		ImageFile: "/var/lib/kvorum/images/aa11",
	}
}

// withLinks plugs n interfaces in.
func withLinks(s hostagent.Spec, n int) hostagent.Spec {
	macs := []string{"fa:16:3e:00:00:01", "FA:16:3E:00:00:02"}
	taps := []string{"kvt00000001", "kvt00000002"}
	for i := range n {
		s.Guest.NICs = append(s.Guest.NICs, assign.NIC{PortID: "p", MAC: macs[i]})
		s.Links = append(s.Links, hostagent.Link{Tap: taps[i], Bridge: "kvb00000007", MAC: macs[i], MTU: 1450})
	}
	return s
}

// withKernel makes the guest start from a kernel of its own.
func withKernel(s hostagent.Spec) hostagent.Spec {
	s.Guest.Image.Format = "ami"
	s.Guest.Kernel = &assign.Image{ID: "k", SHA256: "bb22", Format: "aki"}
	s.Guest.Ramdisk = &assign.Image{ID: "r", SHA256: "cc33", Format: "ari"}
	s.KernelFile, s.RamdiskFile = "/var/lib/kvorum/images/bb22", "/var/lib/kvorum/images/cc33"
	return s
}

func testPlatform() Platform {
	return Platform{
		Type: QEMU, Arch: archX86, HostUUID: "0d9f6a3e-94c5-4d2f-8f7b-2a1c3b4d5e6f", Version: "0.1.0",
		Dir: "/var/lib/kvorum/instances/" + testID, Cache: "none",
	}
}
