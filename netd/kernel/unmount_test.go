package kernel_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// unmount leaves a namespace's name without the namespace, as a reboot of a
// host with a lasting /run/netns would.
func unmount(t *testing.T, path string) {
	t.Helper()
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
}
