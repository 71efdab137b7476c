//go:build libvirt_dlopen

package libvirt

import (
	"cmp"
	"context"

	lv "libvirt.org/go/libvirt"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/failpoint"
)

// Define implements hostagent.Driver.
func (d *Driver) Define(ctx context.Context, spec hostagent.Spec) error {
	const op = "libvirt.Define"
	if err := checkSpec(spec); err != nil {
		return err
	}
	id := spec.Guest.ID
	return d.change(ctx, op, id, func(ctx context.Context, conn *lv.Connect) error {
		dom, err := find(op, conn, id)
		if err != nil {
			return err
		}
		running := false
		if dom != nil {
			running, err = dom.IsActive()
			_ = dom.Free() // only our reference
		} else {
			err = nameIsFree(op, conn, spec)
		}
		if err != nil && !gone(err) {
			return err
		}
		if err := d.store.ensure(ctx, spec, running); err != nil {
			return err
		}
		if err := failpoint.Hit(ctx, failpoint.DiskAfter); err != nil {
			return err
		}
		text, err := d.domainXML(conn, spec)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// Known before it is there: the event of its definition is the first.
		d.guests.learn(id)
		made, err := conn.DomainDefineXML(text)
		if err != nil {
			return err
		}
		return made.Free()
	})
}

// nameIsFree refuses a name that a domain of another UUID has, whosever it is.
func nameIsFree(op string, conn *lv.Connect, spec hostagent.Spec) error {
	name := spec.Guest.DomainName()
	dom, err := conn.LookupDomainByName(name)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = dom.Free() }() // only our reference
	other, err := dom.GetUUIDString()
	if err != nil || other == spec.Guest.ID {
		return err
	}
	return errs.Errorf(op, errs.Conflict, "another domain on this host is named %s", name)
}

func (d *Driver) domainXML(conn *lv.Connect, spec hostagent.Spec) (string, error) {
	lay, err := layoutOf(spec)
	if err != nil {
		return "", err
	}
	facts, err := hostFacts(conn)
	if err != nil {
		return "", err
	}
	id := spec.Guest.ID
	return DomainXML(spec, Platform{
		Type: d.typ, Arch: facts.Host.CPU.Arch, HostUUID: d.opts.HostUUID, Version: d.opts.Version,
		Dir: d.store.folder(id), Cache: d.store.cacheMode(id, lay), NoSecurityLabel: d.opts.NoSecurityLabel,
	})
}

// Start implements hostagent.Driver; errs.NotFound when the guest was never
// defined.
func (d *Driver) Start(ctx context.Context, id string) error {
	const op = "libvirt.Start"
	return d.change(ctx, op, id, func(ctx context.Context, conn *lv.Connect) error {
		dom, err := find(op, conn, id)
		if err != nil {
			return err
		}
		if dom == nil {
			return errs.Errorf(op, errs.NotFound, "the guest is not defined on this host")
		}
		defer func() { _ = dom.Free() }() // only our reference
		if active, err := dom.IsActive(); err != nil || active {
			return err
		}
		boot, err := encodeBoot(nonce())
		if err != nil {
			return err
		}
		err = dom.SetMetadata(lv.DOMAIN_METADATA_ELEMENT, boot, markPrefix+"boot", bootSpace, lv.DOMAIN_AFFECT_CONFIG)
		if err != nil {
			return err
		}
		// The last moment to obey: after it the guest runs.
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = dom.Create()
		if err != nil {
			if active, e := dom.IsActive(); e == nil && active {
				return nil
			}
		}
		return err
	})
}

// Shutdown implements hostagent.Driver: it presses the power button. A guest
// that is off or not there is success.
func (d *Driver) Shutdown(ctx context.Context, id string) error {
	return d.whenActive(ctx, "libvirt.Shutdown", id, func(dom *lv.Domain) error {
		return dom.ShutdownFlags(lv.DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
	})
}

// Kill implements hostagent.Driver. It returns when the guest's process is
// gone; a guest that is off or not there is success.
func (d *Driver) Kill(ctx context.Context, id string) error {
	return d.whenActive(ctx, "libvirt.Kill", id, func(dom *lv.Domain) error {
		return dom.DestroyFlags(lv.DOMAIN_DESTROY_DEFAULT)
	})
}

// whenActive does f to a running guest; that it stopped meanwhile is success.
func (d *Driver) whenActive(ctx context.Context, op, id string, f func(*lv.Domain) error) error {
	return d.change(ctx, op, id, func(ctx context.Context, conn *lv.Connect) error {
		dom, err := find(op, conn, id)
		if err != nil || dom == nil {
			return err
		}
		defer func() { _ = dom.Free() }() // only our reference
		active, err := dom.IsActive()
		if gone(err) || err == nil && !active {
			return nil
		}
		if err != nil || ctx.Err() != nil {
			return cmp.Or(err, ctx.Err())
		}
		if err = f(dom); err == nil || gone(err) {
			return nil
		}
		if active, e := dom.IsActive(); gone(e) || e == nil && !active {
			return nil
		}
		return err
	})
}

// Remove implements hostagent.Driver. errs.Conflict says that the guest is not
// off. The domain goes before its files, so that no definition is ever left
// without them; what a cut-off call left is deleted by the next.
func (d *Driver) Remove(ctx context.Context, id string) error {
	const op = "libvirt.Remove"
	return d.change(ctx, op, id, func(ctx context.Context, conn *lv.Connect) error {
		dom, err := find(op, conn, id)
		if err != nil {
			return err
		}
		if dom != nil {
			err = undefine(op, dom)
			_ = dom.Free() // only our reference
			if err != nil && !gone(err) {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := d.store.remove(id); err != nil {
			return err
		}
		d.guests.forget(id)
		return nil
	})
}

func undefine(op string, dom *lv.Domain) error {
	active, err := dom.IsActive()
	if err != nil {
		return err
	}
	if active {
		return errs.Errorf(op, errs.Conflict, "a guest that is not off cannot be removed")
	}
	return dom.UndefineFlags(lv.DOMAIN_UNDEFINE_MANAGED_SAVE | lv.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
		lv.DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | lv.DOMAIN_UNDEFINE_NVRAM)
}

// Console implements hostagent.Driver. At most 8 MiB are given; a guest that
// never ran has written nothing.
func (d *Driver) Console(_ context.Context, id string, max int) ([]byte, error) {
	if err := checkID("libvirt.Console", id); err != nil {
		return nil, err
	}
	return d.store.tail(id, max)
}
