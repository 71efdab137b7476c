// Package cloud lays out a whole Kvorum on a rack: control nodes and hosts that
// run the real program, with real libvirt underneath. The demo, the integration
// tests and the fault harness start from it.
//
// Invariant: everything runs on the rack's hosts and below its folder, so that
// closing the rack leaves nothing of the cloud.
//
// It must not know what is done with the cloud.
package cloud
