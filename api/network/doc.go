// Package network is the front door of the Network API v2.0 (Neutron):
// networks, subnets, ports and routers.
//
// Invariant: it is the only package that knows Neutron's JSON; an attribute
// that is not known is refused by name, never ignored.
//
// A router's way out is its host's own address, so external_fixed_ips is
// empty. It must not know how a command is carried out.
package network
