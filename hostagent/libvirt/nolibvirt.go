//go:build !libvirt_dlopen

package libvirt

import (
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
)

// Driver stands in for the real one in a binary that was built without
// libvirt; Open never gives one.
type Driver struct{ hostagent.Driver }

// Open refuses with errs.NotImplemented.
func Open(Options) (*Driver, error) {
	return nil, errs.Errorf("libvirt.Open", errs.NotImplemented,
		"this binary was built without libvirt: build with -tags libvirt_dlopen")
}
