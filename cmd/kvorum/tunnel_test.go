package main

import (
	"strings"
	"testing"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
)

func TestTunnelAddress(t *testing.T) {
	for _, row := range []struct{ tunnel, advertise, listen, want, bad string }{
		{"", "", "127.0.0.1:8772", "", ""},
		{"", "", "192.0.2.1:8772", "192.0.2.1", ""},
		{"", "192.0.2.7:8772", "192.0.2.1:8772", "192.0.2.7", ""},
		{"", "192.0.2.7:8772", "127.0.0.1:8772", "192.0.2.7", ""},
		{"", "", "0.0.0.0:8772", "", ""},
		{"", "", ":8772", "", ""},
		{"", "h1.example:8772", "192.0.2.1:8772", "", ""},
		{"", "", "[2001:db8::1]:8772", "", ""},
		{"none", "", "192.0.2.1:8772", "", ""},
		{"198.51.100.1", "", "192.0.2.1:8772", "198.51.100.1", ""},
		{"198.51.100.1", "", "127.0.0.1:8772", "198.51.100.1", ""},
		{"127.0.0.1", "", "192.0.2.1:8772", "", "127.0.0.1"},
		{"2001:db8::1", "", "192.0.2.1:8772", "", "2001:db8::1"},
		{"eth0", "", "192.0.2.1:8772", "", "eth0"},
	} {
		got, err := tunnelAddress(config.Agent{Tunnel: row.tunnel, Advertise: row.advertise, Listen: row.listen})
		if got != row.want || (err != nil) != (row.bad != "") || err != nil && !strings.Contains(err.Error(), row.bad) {
			t.Errorf("%+v: %q, %v", row, got, err)
		}
	}
}
