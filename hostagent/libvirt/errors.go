//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"strings"

	lv "libvirt.org/go/libvirt"

	"github.com/kvorum/kvorum/internal/errs"
)

// code gives libvirt's number of err, or ERR_OK for an error of another kind.
func code(err error) lv.ErrorNumber {
	var e lv.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return lv.ERR_OK
}

// gone says that the domain is not there, or no longer.
func gone(err error) bool { return code(err) == lv.ERR_NO_DOMAIN }

// lost says that the connection is of no more use.
func lost(err error) bool {
	var e lv.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case lv.ERR_NO_CONNECT, lv.ERR_INVALID_CONN, lv.ERR_RPC:
		return true
	case lv.ERR_INTERNAL_ERROR, lv.ERR_SYSTEM_ERROR:
		// The remote driver reports a broken socket in these two.
		return e.Domain == lv.FROM_RPC || e.Domain == lv.FROM_REMOTE ||
			strings.Contains(e.Message, "client socket is closed")
	}
	return false
}

// missingLibrary says that libvirt is not installed on this host.
func missingLibrary(err error) bool {
	return err != nil && strings.Contains(err.Error(), "libvirt.so.0")
}

// wrap gives libvirt's error its kind. A lost connection and what libvirt
// itself calls a matter of time may be tried again; anything else would fail
// the same way, and its sentence is the guest's fault.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return errs.E(op, errs.Unavailable, "the call was cut off before it was done", err)
	}
	var own *errs.Error
	var e lv.Error
	if errors.As(err, &own) || !errors.As(err, &e) {
		return err
	}
	if lost(err) {
		return errs.E(op, errs.Unavailable, "the hypervisor does not answer", err)
	}
	switch e.Code {
	case lv.ERR_OPERATION_TIMEOUT, lv.ERR_RESOURCE_BUSY, lv.ERR_OPERATION_ABORTED, lv.ERR_NO_MEMORY,
		lv.ERR_AUTH_UNAVAILABLE, lv.ERR_DBUS_SERVICE:
		return errs.E(op, errs.Busy, "the hypervisor is busy", err)
	case lv.ERR_NO_DOMAIN:
		return errs.E(op, errs.NotFound, "the guest is not defined on this host", err)
	case lv.ERR_CONFIG_UNSUPPORTED, lv.ERR_XML_ERROR, lv.ERR_XML_DETAIL, lv.ERR_XML_INVALID_SCHEMA:
		return errs.E(op, errs.Unsupported, "the hypervisor cannot make such a guest: "+sentence(e.Message), err)
	case lv.ERR_OPERATION_INVALID:
		return errs.E(op, errs.Conflict, "the guest's state does not allow it: "+sentence(e.Message), err)
	}
	return errs.E(op, errs.Internal, "the hypervisor failed: "+sentence(e.Message), err)
}

// sentence is the first line of libvirt's message, bounded: QEMU's whole
// output may follow.
func sentence(msg string) string {
	msg, _, _ = strings.Cut(msg, "\n")
	return cleanText(msg)
}
