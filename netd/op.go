package netd

import (
	"fmt"
	"net/netip"
	"strings"
)

// Op is one change to the kernel. Its String is the command that a person
// would type for it. Ops are idempotent: what is already so is success.
// In every Op an empty Space is the root namespace.
type Op interface {
	fmt.Stringer
	// rank places the Op among the others of a plan.
	rank() rank
}

// rank orders a plan; the constants' order is the plan's.
type rank int

const (
	// A name can't hold two things: what is in the way goes first.
	rankClear rank = iota
	// Filters stand before any link can carry a packet: they go by names, so
	// they need no link.
	rankRootTable
	// Only behind the filter may the host begin to route.
	rankRootSysctl
	rankAddSpace
	// "default" settings count for links that enter the namespace later.
	rankSpaceSysctl
	rankSpaceTable
	// Links are made down. A bridge first: veths are plugged into it.
	rankAddBridge
	rankAddVeth
	rankAddVXLAN
	// While a link is down nothing of it is seen half done.
	rankLink
	rankAddAddr
	// After the new address, and before the link is up: guests never see both,
	// and no subnet is without.
	rankDelAddr
	// A network that moves to another namespace must not have two links up that
	// answer for one gateway.
	rankDelVeth
	// A port is told so once it is in its bridge: it forgets when it leaves.
	rankDirect
	// Who has come here must not be looked for behind a tunnel any more when
	// the tap goes up.
	rankDelHop
	rankSetHop
	// After its hop: who is answered for can be reached.
	rankSetNeighbour
	rankUp
	// The kernel takes a route only by a link that is up.
	rankSetRoute
	rankDelRoute
	// What nothing hangs on any more. The root tables last: they held while
	// there were links.
	rankDelBridge
	rankDelSpace
	rankDelTable
)

func ip(space string) string {
	if space == "" {
		return "ip "
	}
	return "ip -n " + space + " "
}

func exec(space string) string {
	if space == "" {
		return ""
	}
	return "ip netns exec " + space + " "
}

// AddSpace makes a named network namespace.
type AddSpace struct{ Name string }

// DelSpace removes one, or a name with none behind it.
type DelSpace struct {
	Name string
	// Broken: it is in the way of one to be made.
	Broken bool
}

// SetSysctl writes a kernel setting.
type SetSysctl struct {
	Space string
	Sysctl
	// Link is set when the setting is a link's own.
	Link string
}

// ApplyTable makes an nft table so in one transaction.
type ApplyTable struct {
	Space string
	Table Table
	// Rebuild deletes it first, with its counters.
	Rebuild bool
}

// DelTable removes an nft table.
type DelTable struct{ Space, Family, Name string }

// AddBridge makes a bridge, down. With an address of its own: one that the
// kernel chooses changes when ports come, and then all neighbours go.
type AddBridge struct {
	Name string
	MAC  MAC
	MTU  int
}

// AddVeth makes a pair of links, down: Name in the root namespace, Peer in
// Space.
type AddVeth struct {
	Name, Peer, Space string
	MTU               int
	// PeerMAC may be zero: the kernel chooses.
	PeerMAC MAC
}

// DelLink removes a link (of a veth, both ends).
type DelLink struct {
	Space, Name string
	at          rank
}

// SetMTU sets a link's MTU.
type SetMTU struct {
	Space, Name string
	MTU         int
}

// SetMAC sets a link's address.
type SetMAC struct {
	Space, Name string
	MAC         MAC
}

// SetMaster plugs a link of the root namespace into a bridge, or unplugs it
// when Master is empty.
type SetMaster struct{ Name, Master string }

// SetUp takes a link up.
type SetUp struct{ Space, Name string }

// AddAddr gives a link an address.
type AddAddr struct {
	Space, Link string
	Addr        netip.Prefix
}

// DelAddr takes it away.
type DelAddr struct {
	Space, Link string
	Addr        netip.Prefix
}

// SetRoute makes or changes the route to Dst.
type SetRoute struct {
	Space string
	Route Route
}

// DelRoute removes a route.
type DelRoute struct {
	Space string
	Route Route
}

// String is the command that does it.
func (o AddSpace) String() string { return "ip netns add " + o.Name }

// String is the command that does it.
func (o DelSpace) String() string { return "ip netns del " + o.Name }

// String is the command that does it.
func (o SetSysctl) String() string { return exec(o.Space) + "sysctl -w " + o.Key + "=" + o.Value }

// String is the command that does it.
func (o ApplyTable) String() string {
	return exec(o.Space) + "nft -f - <<'END'\n" + o.Table.Script(o.Rebuild) + "END"
}

// String is the command that does it.
func (o DelTable) String() string {
	return exec(o.Space) + "nft delete table " + o.Family + " " + o.Name
}

// String is the command that does it.
func (o AddBridge) String() string {
	return fmt.Sprintf("ip link add %s address %s mtu %d type bridge mcast_snooping 0", o.Name, o.MAC, o.MTU)
}

// String is the command that does it.
func (o AddVeth) String() string {
	mac := ""
	if o.PeerMAC != (MAC{}) {
		mac = " address " + o.PeerMAC.String()
	}
	return fmt.Sprintf("ip link add %s mtu %d type veth peer name %s mtu %d%s netns %s",
		o.Name, o.MTU, o.Peer, o.MTU, mac, o.Space)
}

// String is the command that does it.
func (o DelLink) String() string { return ip(o.Space) + "link del " + o.Name }

// String is the command that does it.
func (o SetMTU) String() string {
	return fmt.Sprintf("%slink set %s mtu %d", ip(o.Space), o.Name, o.MTU)
}

// String is the command that does it.
func (o SetMAC) String() string {
	return ip(o.Space) + "link set " + o.Name + " address " + o.MAC.String()
}

// String is the command that does it.
func (o SetMaster) String() string {
	if o.Master == "" {
		return "ip link set " + o.Name + " nomaster"
	}
	return "ip link set " + o.Name + " master " + o.Master
}

// String is the command that does it.
func (o SetUp) String() string { return ip(o.Space) + "link set " + o.Name + " up" }

// String is the command that does it.
func (o AddAddr) String() string {
	return ip(o.Space) + "addr add " + o.Addr.String() + " dev " + o.Link
}

// String is the command that does it.
func (o DelAddr) String() string {
	return ip(o.Space) + "addr del " + o.Addr.String() + " dev " + o.Link
}

// String is the command that does it.
func (o SetRoute) String() string {
	return ip(o.Space) + "route replace " + o.Route.String()
}

// String is the command that does it.
func (o DelRoute) String() string { return ip(o.Space) + "route del " + o.Route.String() }

// String is the route as the ip command takes it.
func (r Route) String() string {
	dst := r.Dst.String()
	if r.Dst.Bits() == 0 {
		dst = "default"
	}
	if !r.Via.IsValid() {
		return dst
	}
	return dst + " via " + r.Via.String()
}

func (o AddSpace) rank() rank { return rankAddSpace }
func (o DelSpace) rank() rank {
	if o.Broken {
		return rankClear
	}
	return rankDelSpace
}
func (o SetSysctl) rank() rank {
	switch {
	case o.Link != "":
		return rankLink
	case o.Space == "":
		return rankRootSysctl
	}
	return rankSpaceSysctl
}
func (o ApplyTable) rank() rank {
	if o.Space == "" {
		return rankRootTable
	}
	return rankSpaceTable
}
func (o DelTable) rank() rank  { return rankDelTable }
func (o AddBridge) rank() rank { return rankAddBridge }
func (o AddVeth) rank() rank   { return rankAddVeth }
func (o DelLink) rank() rank   { return o.at }
func (o SetMTU) rank() rank    { return rankLink }
func (o SetMAC) rank() rank    { return rankLink }
func (o SetMaster) rank() rank { return rankLink }
func (o SetUp) rank() rank     { return rankUp }
func (o AddAddr) rank() rank   { return rankAddAddr }
func (o DelAddr) rank() rank   { return rankDelAddr }
func (o SetRoute) rank() rank  { return rankSetRoute }
func (o DelRoute) rank() rank  { return rankDelRoute }

// Text prints a plan, one command a line.
func Text(ops []Op) string {
	var b strings.Builder
	for _, o := range ops {
		b.WriteString(o.String() + "\n")
	}
	return b.String()
}
