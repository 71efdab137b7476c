package main

import (
	"net"
	"net/netip"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// tunnelAddress is where the host's end of the tunnels between hosts is: what
// is set, or where the control nodes reach the agent, if other hosts can reach
// that too. Empty: the host has none.
func tunnelAddress(c config.Agent) (string, error) {
	switch c.Tunnel {
	case "none":
		return "", nil
	case "":
		at := c.Advertise
		if at == "" {
			at = c.Listen
		}
		host, _, err := net.SplitHostPort(at)
		if err != nil || !reachable(host) {
			return "", nil
		}
		return host, nil
	}
	if !reachable(c.Tunnel) {
		return "", errs.Errorf("agent.tunnel", errs.Invalid, "agent.tunnel: %q is neither \"none\" nor an IPv4 address that other hosts can reach", c.Tunnel)
	}
	return c.Tunnel, nil
}

// reachable tells whether tunnels can lead to s: they are made over IPv4 only.
func reachable(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4() && model.CheckTunnel(s) == nil
}
