// Package network is the front door of the Network API v2.0 (Neutron):
// networks, subnets, ports and routers, and what there is about quotas, zones
// and hosts.
//
// Invariant: it is the only package that knows Neutron's JSON; an attribute
// that is not known, that may not be set, or that would not be honoured with
// the value it is given, is refused by name, never ignored.
//
// Each resource is a table of its attributes (shape), which reading, filtering
// and sorting follow. A router's way out is its host's own address, so
// external_fixed_ips is empty. Several networks, subnets or ports of one body
// are made by one command, all or none; several routers are not offered.
// Security groups, floating addresses and IPv6 are not there yet, and not
// advertised.
//
// It must not know how a command is carried out.
package network
