package sim

import (
	"fmt"
	"strings"
	"time"
)

// maxConsole bounds a guest's console log, in bytes; the oldest go first.
const maxConsole = 64 << 10

// print adds a line to the console log, stamped with the guest's uptime.
func (d *domain) print(now time.Time, format string, args ...any) {
	up := time.Duration(now.UnixNano() - d.bootedAtNanos)
	line := fmt.Sprintf("[%5d.%06d] ", int(up/time.Second), int(up%time.Second/time.Microsecond)) +
		fmt.Sprintf(format, args...) + "\r\n"
	d.console = append(d.console, line...)
	if over := len(d.console) - maxConsole; over > 0 {
		d.console = append([]byte(nil), d.console[over:]...)
	}
}

// bootLog is what the guest says while it boots: what a person looks for in a
// console log, in the order of a real one.
func (d *domain) bootLog(now time.Time) {
	g := d.spec.Guest
	d.bootedAtNanos = now.UnixNano()
	d.print(now, "Linux version 6.1.0-sim (simulated guest)")
	d.print(now, "Command line: console=ttyS0 %s", g.CommandLine)
	d.print(now, "smp: Brought up 1 node, %d CPUs", g.VCPUs)
	d.print(now, "Memory: %dK available", g.RAM<<10)
	for i, nic := range g.NICs {
		d.print(now, "virtio_net eth%d: %s %s", i, nic.MAC, strings.Join(nic.Addresses, " "))
	}
	d.print(now, "cloud-init: instance-id: %s", g.ID)
	d.print(now, "cloud-init: local-hostname: %s", g.Hostname)
	if g.Key != nil {
		d.print(now, "cloud-init: authorized key: %s", g.Key.Name)
	}
	if len(g.UserData) > 0 {
		d.print(now, "cloud-init: user data: %d bytes", len(g.UserData))
	}
	d.print(now, "%s login:", g.Hostname)
}
