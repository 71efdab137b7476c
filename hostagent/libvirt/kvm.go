//go:build libvirt_dlopen

package libvirt

import (
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// bestType is KVM when the kernel offers it to this process, with the one
// interface version there has been since 2007, and the processor has what it
// needs: inside some virtual machines the device is there and guests hang.
func bestType() DomainType {
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !virtualizes(runtime.GOARCH, string(cpu)) {
		return QEMU
	}
	const getAPIVersion, version = 0xAE00, 12
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return QEMU
	}
	defer func() { _ = f.Close() }() // only asked
	if v, err := unix.IoctlRetInt(int(f.Fd()), getAPIVersion); err != nil || v != version {
		return QEMU
	}
	return KVM
}

// virtualizes tells from /proc/cpuinfo whether a processor can run guests by
// itself; only x86 names that there.
func virtualizes(arch, cpuinfo string) bool {
	if arch != "amd64" && arch != "386" {
		return true
	}
	for line := range strings.Lines(cpuinfo) {
		key, flags, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) != "flags" {
			continue
		}
		words := strings.Fields(flags)
		return slices.Contains(words, "vmx") || slices.Contains(words, "svm")
	}
	return false
}
