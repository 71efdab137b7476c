package hostagent

import (
	"context"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/failpoint"
)

// ImageStore is the host's images as a step uses them.
type ImageStore interface {
	// Has tells whether the image is here, whole and verified.
	Has(image assign.Image) bool
	// Ensure fetches the image if it is not here.
	Ensure(ctx context.Context, image assign.Image) error
	// Path is the file of an image that is here.
	Path(image assign.Image) string
}

// Hands look at a guest and do a step about it. No decision is made here.
type Hands struct {
	Driver      Driver
	Images      ImageStore
	Network     Network
	StopTimeout time.Duration
}

// callTimeout ends a call that hangs, so that the guest gets another turn. The
// longest honest one writes a disk.
const callTimeout = 10 * time.Minute

// Observe looks at the guest.
func (h Hands) Observe(ctx context.Context, id string, want Want) (Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	have, err := h.Driver.Look(ctx, id)
	if err != nil {
		return Observation{}, err
	}
	obs := Observation{Have: have, Prepared: true, Plugged: true}
	for _, image := range guestImages(want.Guest) {
		obs.Prepared = obs.Prepared && h.Images.Has(image)
	}
	for _, nic := range want.Guest.NICs {
		ok, _ := h.Network.Ready(nic.PortID)
		obs.Plugged = obs.Plugged && ok
	}
	return obs, nil
}

// Do does the step that Next chose. Report and Forget touch nothing of the
// host and are not its business.
func (h Hands) Do(ctx context.Context, want Want, kind StepKind) error {
	if err := h.do(ctx, want, kind); err != nil {
		return err
	}
	return failpoint.HitAfter(ctx, string(kind))
}

func (h Hands) do(ctx context.Context, want Want, kind StepKind) error {
	id := want.Guest.ID
	if kind == Prepare {
		return h.prepare(ctx, want) // takes as long as the image is large
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	switch kind {
	case PlugNetwork:
		return h.plug(want)
	case Define:
		return h.define(ctx, want)
	case Start:
		return h.Driver.Start(ctx, id)
	case Shutdown:
		return h.Driver.Shutdown(ctx, id)
	case Kill:
		return h.Driver.Kill(ctx, id)
	case Remove:
		return h.Driver.Remove(ctx, id)
	}
	return errs.Errorf("hostagent.do", errs.Internal, "There is no step %q.", kind)
}

func (h Hands) prepare(ctx context.Context, want Want) error {
	for _, image := range guestImages(want.Guest) {
		if err := h.Images.Ensure(ctx, image); err != nil {
			return err
		}
	}
	return nil
}

// plug says which port the guest waits for; the network is made ready by its
// own loop.
func (h Hands) plug(want Want) error {
	for _, nic := range want.Guest.NICs {
		if ok, reason := h.Network.Ready(nic.PortID); !ok {
			return errs.Errorf("hostagent.plug", errs.Unavailable, "Port %s is not ready: %s", nic.PortID, reason)
		}
	}
	return nil
}

func (h Hands) define(ctx context.Context, want Want) error {
	g := want.Guest
	spec := Spec{Guest: g, StopTimeout: h.StopTimeout}
	for _, f := range []struct {
		image *assign.Image
		file  *string
	}{{&g.Image, &spec.ImageFile}, {g.Kernel, &spec.KernelFile}, {g.Ramdisk, &spec.RamdiskFile}} {
		if f.image != nil && f.image.SHA256 != "" {
			*f.file = h.Images.Path(*f.image)
		}
	}
	for i, nic := range g.NICs {
		if want.Networks[i].ID == "" {
			return errs.Errorf("hostagent.define", errs.Unavailable, "Network %s is not described yet.", nic.NetworkID)
		}
		spec.Links = append(spec.Links, h.Network.Link(nic, want.Networks[i]))
	}
	return h.Driver.Define(ctx, spec)
}
