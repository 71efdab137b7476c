// Command rack lays out and drives a rack from a shell; it is what the demo
// uses.
//
//	rack -prefix demo up -dir /tmp/demo -uplink -libvirt h1 h2 h3
//	rack -prefix demo exec h1 virsh list
//	rack -prefix demo start h1 agent /path/to/kvorum agent ...
//	rack -prefix demo status
//	rack -prefix demo down
//
// Invariant: it keeps nothing in memory between calls; all is in the rack's
// own state, so that any call may be made from any shell.
//
// It must not know Kvorum, and must not decide anything that package testbed
// could.
package main
