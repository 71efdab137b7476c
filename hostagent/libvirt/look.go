//go:build libvirt_dlopen

package libvirt

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	lv "libvirt.org/go/libvirt"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// List implements hostagent.Driver; the guests are ordered by id.
func (d *Driver) List(ctx context.Context) ([]hostagent.Have, error) {
	const op = "libvirt.List"
	var out []hostagent.Have
	err := d.read(ctx, op, func(conn *lv.Connect) error {
		doms, err := conn.ListAllDomains(0)
		if err != nil {
			return err
		}
		var found []hostagent.Have
		for i := range doms {
			h, ours, e := haveOf(&doms[i])
			_ = doms[i].Free() // only our reference
			if e != nil && !gone(e) && err == nil {
				err = e
			}
			if e == nil && ours {
				found = append(found, h)
				d.guests.learn(h.ID)
			}
		}
		out = found
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b hostagent.Have) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// Look implements hostagent.Driver. A domain with the guest's UUID that is not
// ours is ignored as all such are: the guest is Missing then, and Define
// refuses.
func (d *Driver) Look(ctx context.Context, id string) (hostagent.Have, error) {
	const op = "libvirt.Look"
	missing := hostagent.Have{ID: id, State: assign.Missing}
	if err := checkID(op, id); err != nil {
		return hostagent.Have{}, err
	}
	var out hostagent.Have
	err := d.read(ctx, op, func(conn *lv.Connect) error {
		h, err := look(conn, id)
		if err == nil {
			out = h
		}
		return err
	})
	switch {
	case err != nil:
		return hostagent.Have{}, err
	case out.ID == "":
		return missing, nil
	}
	d.guests.learn(id)
	return out, nil
}

// look gives the zero Have when the guest is not there or not ours.
func look(conn *lv.Connect, id string) (hostagent.Have, error) {
	dom, err := conn.LookupDomainByUUIDString(id)
	if err == nil {
		defer func() { _ = dom.Free() }() // only our reference
		var h hostagent.Have
		var ours bool
		if h, ours, err = haveOf(dom); err == nil && ours {
			return h, nil
		}
	}
	if err == nil || gone(err) {
		return hostagent.Have{}, nil
	}
	return hostagent.Have{}, err
}

// haveOf looks at one domain; ours is false when it does not carry our mark,
// or another guest's.
func haveOf(dom *lv.Domain) (h hostagent.Have, ours bool, err error) {
	m, ours, err := markOf(dom)
	if err != nil || !ours {
		return h, false, err
	}
	state, reason, err := dom.GetState()
	if err != nil {
		return h, false, err
	}
	h = hostagent.Have{ID: m.ID, Num: m.Num, Permit: m.Permit}
	h.State, h.StoppedByGuest = stateOf(state, reason)
	if h.State == assign.Shutoff || h.State == assign.Crashed {
		return h, true, nil
	}
	h.Boot, err = bootOf(dom)
	if gone(err) || code(err) == lv.ERR_OPERATION_INVALID {
		// It stopped since: what is true now is asked once more, at the next look.
		h.State, h.StoppedByGuest, h.Boot, err = assign.Shutoff, false, "", nil
	}
	return h, true, err
}

// markOf reads our mark from the definition that the next start uses; a
// domain without one (it is coming in, or was made by hand) has only the
// running one's.
func markOf(dom *lv.Domain) (m readMark, ours bool, err error) {
	text, err := dom.GetMetadata(lv.DOMAIN_METADATA_ELEMENT, markSpace, lv.DOMAIN_AFFECT_CONFIG)
	if code(err) == lv.ERR_OPERATION_INVALID {
		text, err = dom.GetMetadata(lv.DOMAIN_METADATA_ELEMENT, markSpace, lv.DOMAIN_AFFECT_CURRENT)
	}
	if code(err) == lv.ERR_NO_DOMAIN_METADATA {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	id, err := dom.GetUUIDString()
	if err != nil {
		return m, false, err
	}
	m, err = decodeMark(text)
	if err != nil || m.ID != id {
		return m, false, nil // not written by us, or copied from another domain
	}
	return m, true, nil
}

// bootOf names the run of a domain: libvirt's number of it, and the nonce that
// Start left; a run that was not started by us has no nonce.
func bootOf(dom *lv.Domain) (string, error) {
	id, err := dom.GetID()
	if err != nil {
		return "", err
	}
	text, err := dom.GetMetadata(lv.DOMAIN_METADATA_ELEMENT, bootSpace, lv.DOMAIN_AFFECT_LIVE)
	if err != nil && code(err) != lv.ERR_NO_DOMAIN_METADATA {
		return "", err
	}
	return strconv.FormatUint(uint64(id), 10) + "." + decodeBoot(text), nil
}

// stateOf maps libvirt's state and its reason. A guest counts as off only when
// its process is gone. It switched itself off when it shut down without having
// been destroyed; that libvirt was asked to press its power button does not
// show, the agent knows that itself.
func stateOf(state lv.DomainState, reason int) (assign.State, bool) {
	switch state {
	case lv.DOMAIN_PAUSED:
		switch lv.DomainPausedReason(reason) {
		case lv.DOMAIN_PAUSED_STARTING_UP, lv.DOMAIN_PAUSED_SHUTTING_DOWN:
			return assign.Running, false
		}
		return assign.Paused, false
	case lv.DOMAIN_PMSUSPENDED:
		return assign.Paused, false
	case lv.DOMAIN_SHUTOFF:
		switch lv.DomainShutoffReason(reason) {
		case lv.DOMAIN_SHUTOFF_SHUTDOWN:
			return assign.Shutoff, true
		case lv.DOMAIN_SHUTOFF_CRASHED:
			return assign.Crashed, false
		}
		return assign.Shutoff, false
	case lv.DOMAIN_CRASHED:
		// Its process may still be there; Crashed is not "off" to Kill.
		return assign.Crashed, false
	default:
		return assign.Running, false
	}
}

// find gives a domain of ours, or nil when there is none. A domain with the
// guest's UUID that is not ours is an error: nobody may touch it.
func find(op string, conn *lv.Connect, id string) (*lv.Domain, error) {
	dom, err := conn.LookupDomainByUUIDString(id)
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, ours, err := markOf(dom)
	if err == nil && ours {
		return dom, nil
	}
	_ = dom.Free() // only our reference
	if err == nil {
		err = errs.Errorf(op, errs.Conflict, "a domain with the UUID %s is on this host that Kvorum did not make", id)
	}
	if gone(err) {
		return nil, nil
	}
	return nil, err
}
