package fakekernel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/kvorum/kvorum/netd"
)

// ErrTold is what Do gives for the Op that Refuse names.
var ErrTold = errors.New("refused, as told")

// Kernel holds namespaces with links, routes, settings and tables. It is for
// one goroutine.
type Kernel struct {
	root   *space
	spaces map[string]*space
	peers  map[end]end
	refuse int
	done   int
}

// end names a link in a namespace.
type end struct{ space, link string }

type space struct{ netd.Space }

// New gives a kernel with nothing but a loopback link.
func New() *Kernel {
	return &Kernel{root: newSpace(), spaces: map[string]*space{}, peers: map[end]end{}}
}

func newSpace() *space {
	return &space{netd.Space{
		Links:   map[string]netd.Link{"lo": {MTU: 65536}},
		Sysctls: map[string]string{}, Tables: map[string]netd.Table{},
	}}
}

// Load gives a kernel that holds have. Veths of equal tail (kvg7 and kvi7)
// are not paired: each is its own.
func Load(have netd.Have) *Kernel {
	k := New()
	k.root.fill(have.Root)
	for name, s := range have.Spaces {
		k.spaces[name] = newSpace()
		k.spaces[name].fill(s)
	}
	return k
}

func (s *space) fill(from netd.Space) {
	s.Broken, s.Routes = from.Broken, slices.Clone(from.Routes)
	maps.Copy(s.Links, from.Links)
	maps.Copy(s.Sysctls, from.Sysctls)
	maps.Copy(s.Tables, from.Tables)
}

// Refuse makes the k-th Op from now fail, counted from 0; negative: none.
func (k *Kernel) Refuse(op int) { k.refuse, k.done = op+1, 0 }

// PutLink puts a link into a namespace ("" is the root) as somebody else
// would: a guest's tap, or a thing that is not ours.
func (k *Kernel) PutLink(in, name string, l netd.Link) {
	if s := k.at(in); s != nil {
		s.Links[name] = l
	}
}

// DropTable removes a table as somebody else would.
func (k *Kernel) DropTable(in, key string) {
	if s := k.at(in); s != nil {
		delete(s.Tables, key)
	}
}

// DropSpace removes a namespace as somebody else would.
func (k *Kernel) DropSpace(name string) { k.delSpace(name) }

// Observe implements netd.Kernel.
func (k *Kernel) Observe(context.Context) (netd.Have, error) {
	h := netd.Have{Root: k.root.copy(), Spaces: map[string]netd.Space{}}
	for name, s := range k.spaces {
		h.Spaces[name] = s.copy()
	}
	return h, nil
}

// copy gives what can be seen: of rules, only their comments.
func (s *space) copy() netd.Space {
	c := s.Space
	c.Links, c.Sysctls = maps.Clone(s.Links), maps.Clone(s.Sysctls)
	c.Routes, c.Tables = slices.Clone(s.Routes), map[string]netd.Table{}
	for key, t := range s.Tables {
		t.Chains = slices.Clone(t.Chains)
		for i := range t.Chains {
			t.Chains[i].Rules = slices.Clone(t.Chains[i].Rules)
			for j := range t.Chains[i].Rules {
				t.Chains[i].Rules[j].Text = ""
			}
		}
		c.Tables[key] = t
	}
	return c
}

func (k *Kernel) at(name string) *space {
	if name == "" {
		return k.root
	}
	if s := k.spaces[name]; s != nil && !s.Broken {
		return s
	}
	return nil
}

// Do implements netd.Kernel.
func (k *Kernel) Do(_ context.Context, op netd.Op) error {
	k.done++
	if k.done == k.refuse {
		return ErrTold
	}
	if err := k.do(op); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

func (k *Kernel) do(op netd.Op) error {
	switch o := op.(type) {
	case netd.AddSpace:
		return k.addSpace(o.Name)
	case netd.DelSpace:
		k.delSpace(o.Name)
		return nil
	case netd.AddBridge:
		return k.addLink("", o.Name, netd.Link{Kind: "bridge", MAC: o.MAC, MTU: o.MTU})
	case netd.AddVeth:
		return k.addVeth(o)
	case netd.AddVXLAN:
		return k.addVXLAN(o)
	case netd.DelLink:
		k.delLink(end{o.Space, o.Name})
		return nil
	case netd.SetSysctl:
		return k.sysctl(o)
	case netd.ApplyTable:
		return k.table(o)
	case netd.DelTable:
		k.DropTable(o.Space, o.Family+" "+o.Name)
		return nil
	case netd.SetRoute:
		return k.route(o)
	case netd.DelRoute:
		if s := k.at(o.Space); s != nil {
			s.Routes = slices.DeleteFunc(s.Routes, func(r netd.Route) bool { return r == o.Route })
		}
		return nil
	}
	return k.change(op)
}

// change does the Ops that alter a link in place.
func (k *Kernel) change(op netd.Op) error {
	switch o := op.(type) {
	case netd.SetMTU:
		return k.alter(o.Space, o.Name, func(l *netd.Link) error { l.MTU = o.MTU; return nil })
	case netd.SetMAC:
		return k.alter(o.Space, o.Name, func(l *netd.Link) error { return setMAC(l, o.MAC) })
	case netd.SetUp:
		return k.alter(o.Space, o.Name, func(l *netd.Link) error { l.Up = true; return nil })
	case netd.SetMaster:
		return k.alter("", o.Name, func(l *netd.Link) error {
			if o.Master != "" && k.root.Links[o.Master].Kind != "bridge" {
				return errors.New("no such master")
			}
			if l.Master != o.Master {
				unplug(l)
			}
			l.Master = o.Master
			return nil
		})
	case netd.AddAddr:
		return k.alter(o.Space, o.Link, func(l *netd.Link) error {
			if !slices.Contains(l.Addrs, o.Addr) {
				l.Addrs = append(slices.Clone(l.Addrs), o.Addr)
			}
			return nil
		})
	case netd.DelAddr:
		return k.alter(o.Space, o.Link, func(l *netd.Link) error {
			l.Addrs = slices.DeleteFunc(slices.Clone(l.Addrs), func(a netip.Prefix) bool { return a == o.Addr })
			return nil
		})
	}
	return k.lead(op)
}
