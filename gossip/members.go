package gossip

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/serf/serf"
)

// Status is what a pool believes of a member.
type Status uint8

// The statuses.
const (
	Alive  Status = iota // answers
	Failed               // does not answer; it may be alive all the same
	Left                 // said that it goes
)

// String names the status.
func (s Status) String() string {
	switch s {
	case Alive:
		return "alive"
	case Left:
		return "left"
	}
	return "failed"
}

// Member is one node of a pool, as it is seen from here. It is a hint.
type Member struct {
	// Name is the node's Config.Name.
	Name string
	// Address is where it gossips.
	Address netip.AddrPort
	// Role, Version and RPC are its tags, as it says itself; all may be empty
	// or wrong.
	Role         Role
	Version, RPC string
	// Status is what is believed of it.
	Status Status
}

// The tags' keys.
const (
	tagRole    = "role"
	tagVersion = "version"
	tagRPC     = "rpc"
)

func (c *Config) tags() map[string]string {
	return map[string]string{tagRole: string(c.Role), tagVersion: c.Version, tagRPC: c.RPC}
}

// Members gives all members, this node included, sorted by name. It is the
// whole present list each time; there is no other source for it.
func (p *Pool) Members() []Member {
	list := p.serf.Members()
	all := make([]Member, 0, len(list))
	for i := range list {
		all = append(all, member(&list[i]))
	}
	slices.SortFunc(all, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func member(m *serf.Member) Member {
	return Member{
		Name:    m.Name,
		Address: addrPort(m.Addr, m.Port),
		Role:    Role(m.Tags[tagRole]),
		Version: m.Tags[tagVersion],
		RPC:     m.Tags[tagRPC],
		Status:  status(m.Status),
	}
}

// status folds Serf's words into ours. A node that only said that it will go,
// or of which somebody said so, still answers: it is alive until it does not.
func status(s serf.MemberStatus) Status {
	switch s {
	case serf.StatusAlive, serf.StatusLeaving:
		return Alive
	case serf.StatusLeft:
		return Left
	}
	return Failed
}

func addrPort(ip net.IP, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip) // none gives the zero address, which is nobody's
	return netip.AddrPortFrom(a.Unmap(), port)
}
