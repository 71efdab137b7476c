package fakekernel

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/netd"
)

// Text prints all that the kernel holds, in a fixed order. Rules of tables
// are printed where their text is known, their number elsewhere.
func (k *Kernel) Text() string {
	var b strings.Builder
	k.root.print(&b, "root")
	for _, name := range slices.Sorted(maps.Keys(k.spaces)) {
		k.spaces[name].print(&b, "namespace "+name)
	}
	return b.String()
}

func (s *space) print(b *strings.Builder, title string) {
	if s.Broken {
		title += " (broken)"
	}
	fmt.Fprintln(b, title)
	for _, name := range slices.Sorted(maps.Keys(s.Links)) {
		fmt.Fprintf(b, "  link %s%s\n", name, linkText(s.Links[name]))
	}
	for _, r := range s.Routes {
		fmt.Fprintf(b, "  route %s\n", r)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Sysctls)) {
		fmt.Fprintf(b, "  %s=%s\n", key, s.Sysctls[key])
	}
	for _, key := range slices.Sorted(maps.Keys(s.Tables)) {
		tableText(b, s.Tables[key])
	}
}

func linkText(l netd.Link) string {
	t := " " + l.Kind
	if l.Kind == "" {
		t = ""
	}
	t += fmt.Sprintf(" mtu %d", l.MTU)
	if l.MAC != (netd.MAC{}) {
		t += " " + l.MAC.String()
	}
	if l.Master != "" {
		t += " master " + l.Master
	}
	if l.Up {
		t += " up"
	}
	for _, a := range l.Addrs {
		t += " " + a.String()
	}
	return t + farText(l)
}

// farText is what leads to other hosts.
func farText(l netd.Link) (t string) {
	if l.Kind == "vxlan" {
		t += fmt.Sprintf(" id %d local %v port %d", l.VXLAN.Number, l.VXLAN.Local, l.VXLAN.Port)
	}
	if l.Directed {
		t += " directed"
	}
	for _, mac := range slices.SortedFunc(maps.Keys(l.Hops), netd.MAC.Compare) {
		t += fmt.Sprintf("\n    hop %v via %v", mac, l.Hops[mac].Via)
		if l.Hops[mac].Bridged {
			t += " bridged"
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(l.Neighbours), netip.Addr.Compare) {
		t += fmt.Sprintf("\n    neighbour %v %v", a, l.Neighbours[a])
	}
	return t
}

func tableText(b *strings.Builder, t netd.Table) {
	fmt.Fprintf(b, "  table %s\n", t.Key())
	for _, s := range t.Sets {
		word := "set"
		if s.Value != "" {
			word = "map"
		}
		fmt.Fprintf(b, "    %s %s { %s }\n", word, s.Name, strings.Join(s.Elements, ", "))
	}
	for _, c := range t.Chains {
		fmt.Fprintf(b, "    chain %s: %d rules\n", c.Name, len(c.Rules))
	}
}
