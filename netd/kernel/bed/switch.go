package bed

import (
	"os/exec"
	"strconv"
	"strings"
)

// Switch joins the hosts of several beds, as an underlay does.
type Switch struct {
	// Space is a namespace with a bridge sw0 of which each host is a port.
	Space string
	b     *Bed
	ports int
}

// Switch makes one; it goes with the bed.
func (b *Bed) Switch() *Switch {
	b.t.Helper()
	s := &Switch{Space: b.Space("switch"), b: b}
	b.add(s.Space)
	b.IP("-n", s.Space, "link", "add", "sw0", "type", "bridge", "mcast_snooping", "0")
	b.IP("-n", s.Space, "link", "set", "sw0", "up")
	return s
}

// Join gives a bed's host a link under0 with an address, plugged into the
// switch.
func (s *Switch) Join(b *Bed, addr string) {
	b.t.Helper()
	port := "p" + strconv.Itoa(s.ports)
	s.ports++
	b.IP("-n", s.Space, "link", "add", port, "type", "veth", "peer", "name", "under0", "netns", b.Host)
	b.IP("-n", s.Space, "link", "set", port, "master", "sw0", "up")
	b.IP("-n", b.Host, "addr", "add", addr, "dev", "under0")
	b.IP("-n", b.Host, "link", "set", "under0", "up")
}

// Count makes the switch count the frames that match each rule of nft's
// bridge family, by name.
func (s *Switch) Count(rules map[string]string) {
	s.b.t.Helper()
	var script strings.Builder
	script.WriteString("table bridge count {\n")
	for name := range rules {
		script.WriteString(" counter of_" + name + " { }\n")
	}
	script.WriteString(" chain seen {\n  type filter hook forward priority 0;\n")
	for name, match := range rules {
		script.WriteString("  " + match + " counter name of_" + name + "\n")
	}
	script.WriteString(" }\n}\n")
	cmd := exec.Command("ip", "netns", "exec", s.Space, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		s.b.t.Fatalf("counting: %v: %s\n%s", err, out, script.String())
	}
}

// Counted gives how many frames a rule of Count has matched.
func (s *Switch) Counted(name string) int {
	s.b.t.Helper()
	fields := strings.Fields(s.b.Must(s.Space, "nft", "list", "counter", "bridge", "count", "of_"+name))
	for i, f := range fields {
		if f == "packets" {
			if n, err := strconv.Atoi(fields[i+1]); err == nil {
				return n
			}
		}
	}
	s.b.t.Fatalf("no number in %v", fields)
	return 0
}
