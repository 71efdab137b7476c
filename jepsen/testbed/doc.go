// Package testbed lays out a rack on one machine: hosts that are network
// namespaces with a hostname, a libvirtd, a /run and an /etc/hosts of their own, wired to two
// bridges, and a namespace that plays the world outside. Tests, the demo and
// the fault harness run the real binaries in it.
//
//	rack, err := testbed.New(ctx, testbed.Options{Prefix: "demo", Dir: "/tmp/demo"})
//	h, err := rack.AddHost(ctx, "h1")
//	err = h.StartLibvirt(ctx)
//	out, err := h.Command(ctx, "virsh", "list").Output()
//	err = rack.Close(ctx)
//
// Each host has eth0, with an address of the rack's range and a default route
// to the outside, and eth1, without an address, for the networks of guests.
// Options.Wire puts something else than a bridge between the hosts' eth0.
// The root namespace gets one link, and only if Options.Uplink asks for it.
//
// Invariant: what a rack makes is written down before it is made, so that
// another process can attach to a running rack, or sweep what a killed one
// left, and nothing is ever removed that is not written down as ours.
//
// It must not know Kvorum: what runs on the hosts is the callers' business.
package testbed
