//go:build libvirt_dlopen

package libvirt

import "testing"

func TestVirtualizes(t *testing.T) {
	for _, tc := range []struct {
		arch, cpuinfo string
		want          bool
	}{
		{"amd64", "processor\t: 0\nflags\t\t: fpu vmx sse\nvmx flags\t: ept\n", true},
		{"amd64", "processor\t: 0\nflags\t\t: fpu svm sse\n", true},
		{"amd64", "processor\t: 0\nflags\t\t: fpu hypervisor sse\n", false},
		{"amd64", "vmx flags\t: vmx\nflags\t: fpu\n", false},
		{"amd64", "", false},
		{"arm64", "Features\t: fp asimd\n", true},
	} {
		if got := virtualizes(tc.arch, tc.cpuinfo); got != tc.want {
			t.Errorf("%s %q: %v", tc.arch, tc.cpuinfo, got)
		}
	}
}
