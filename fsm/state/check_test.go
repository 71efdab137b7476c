package state

import (
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/model"
)

// TestCheckSeesWhatIsBroken breaks each invariant on purpose.
func TestCheckSeesWhatIsBroken(t *testing.T) {
	hash := strings.Repeat("a", 64)
	for name, breakIt := range map[string]func(tx *Tx){
		"names are unique":                    func(tx *Tx) { tx.PutHost(&model.Host{ID: "1", Name: "h"}); tx.PutHost(&model.Host{ID: "2", Name: "h"}) },
		"grants refer to what is there":       func(tx *Tx) { tx.PutGrant(&model.Grant{UserID: "u"}) },
		"an active image has its hash":        func(tx *Tx) { tx.PutImage(&model.Image{ID: "i", Status: model.ImageQueued, SHA256: hash}) },
		"a network's segment is its own":      func(tx *Tx) { tx.PutNetwork(&model.Network{ID: "n2", Segment: 1}) },
		"a subnet belongs to a network":       func(tx *Tx) { tx.PutSubnet(&model.Subnet{ID: "s2", NetworkID: "gone", CIDR: "10.9.0.0/24"}) },
		"subnets of a network do not overlap": func(tx *Tx) { tx.PutSubnet(&model.Subnet{ID: "s2", NetworkID: "n", CIDR: "10.0.0.0/25"}) },
		"a port belongs to a network":         func(tx *Tx) { tx.PutPort(&model.Port{ID: "p2", NetworkID: "gone"}) },
		"a port's device is there":            func(tx *Tx) { tx.PutPort(&model.Port{ID: "p2", NetworkID: "n", Auto: true, DeviceID: "gone"}) },
		"a MAC is used once on a network":     func(tx *Tx) { tx.PutPort(&model.Port{ID: "p2", NetworkID: "n", MAC: "m"}) },
		"an address has a port or a holder":   func(tx *Tx) { tx.PutFixedAddress(&model.FixedAddress{NetworkID: "n", IP: "10.0.0.9", SubnetID: "s"}) },
		"an address lies in its subnet": func(tx *Tx) {
			tx.PutFixedAddress(&model.FixedAddress{NetworkID: "n", IP: "10.1.0.9", SubnetID: "s", PortID: "p"})
		},
		"a server's number is its own":                 func(tx *Tx) { s := tx.Server("s").Clone(); s.Num = 99; tx.PutServer(s) },
		"a server's states are known ones":             func(tx *Tx) { s := tx.Server("s").Clone(); s.VMState = "odd"; tx.PutServer(s) },
		"a server waits exactly while it has no host":  func(tx *Tx) { s := tx.Server("s").Clone(); s.TaskState = model.TaskScheduling; tx.PutServer(s) },
		"a server on a host has that host's permit":    func(tx *Tx) { tx.DeletePermit("s") },
		"a permit has a server or a tombstone":         func(tx *Tx) { tx.PutPermit(&model.Permit{ServerID: "gone", HostID: "h", Number: 1}) },
		"a host's promises are the sum of its servers": func(tx *Tx) { h := tx.Host("h").Clone(); h.UsedRAM++; tx.PutHost(h) },
		"usage is what is there":                       func(tx *Tx) { tx.t.usages.put(&model.Usage{ProjectID: "p", Resource: "cores", Used: 7}) },
		"a tombstone's server is gone":                 func(tx *Tx) { tx.PutTombstone(&model.Tombstone{Server: model.Server{ID: "s"}, Confirmed: true}) },
		"an action has a server or a tombstone":        func(tx *Tx) { tx.PutServerAction(&model.ServerAction{ServerID: "gone", Index: 1}) },
		"an authority and control nodes go together":   func(tx *Tx) { tx.DeleteControlNode("n") },
		"a join token is for one node and a short time": func(tx *Tx) {
			x := tx.JoinToken("t").Clone()
			x.ExpiresAt = x.CreatedAt + model.MaxTokenLife + 1
			tx.PutJoinToken(x)
		},
		"a used token has its certificate": func(tx *Tx) { tx.DeleteCertificate("01") },
		"a good certificate has its node": func(tx *Tx) {
			tx.PutCertificate(&model.Certificate{Serial: "02", Role: model.NodeControl, NodeID: "gone", KeyHash: "k2"})
		},
		"a key belongs to one node": func(tx *Tx) {
			tx.PutCertificate(&model.Certificate{Serial: "02", Role: model.NodeAgent, NodeID: "a", KeyHash: "k"})
		},
		"a server keeps a bounded number of actions": func(tx *Tx) {
			for i := range uint64(MaxActions + 1) {
				tx.PutServerAction(&model.ServerAction{ServerID: "s", Index: i + 1})
			}
		},
		"hosts can carry every network":               func(tx *Tx) { tx.PutSubnet(&model.Subnet{ID: "s2", NetworkID: "n", CIDR: "100.64.0.0/24"}) },
		"a flavor is open to projects that are there": func(tx *Tx) { tx.PutFlavor(&model.Flavor{ID: "f", Projects: []model.ProjectID{"gone"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := sound(t)
			tx := s.Begin(Stamp{Index: 3, Term: 1, At: 3})
			breakIt(tx)
			tx.Commit()
			s.Publish()
			for _, v := range Check(s.View()) {
				if v.Name == name {
					return
				}
			}
			t.Errorf("not seen; seen: %v", Check(s.View()))
		})
	}
	if len(invariants) != 28 {
		t.Errorf("%d invariants: break each of them here", len(invariants))
	}
}

// sound makes a small state in which everything holds.
func sound(t *testing.T) *Store {
	t.Helper()
	s := NewStore(16)
	tx := s.Begin(Stamp{Index: 2, Term: 1, At: 2})
	tx.PutCluster(&model.Cluster{ID: "c", LastServer: 1})
	tx.PutProject(&model.Project{ID: "p", Name: "p"})
	tx.PutNetwork(&model.Network{ID: "n", Segment: 1, ProjectID: "p", MTU: model.DefaultMTU})
	tx.PutSubnet(&model.Subnet{ID: "s", NetworkID: "n", CIDR: "10.0.0.0/24", ProjectID: "p"})
	tx.PutPort(&model.Port{ID: "p", NetworkID: "n", MAC: "m", ProjectID: "p"})
	tx.PutFixedAddress(&model.FixedAddress{NetworkID: "n", IP: "10.0.0.5", SubnetID: "s", PortID: "p"})
	tx.PutHost(&model.Host{ID: "h", Name: "h", UsedVCPUs: 1, UsedRAM: 64, Guests: 1})
	tx.PutPermit(&model.Permit{ServerID: "s", HostID: "h", Number: 2})
	tx.PutServer(&model.Server{ID: "s", Num: 1, ProjectID: "p", HostID: "h", VMState: model.Active, Size: model.Size{VCPUs: 1, RAM: 64}})
	tx.PutAuthority(&model.Authority{Certificate: []byte("c"), Key: []byte("k")})
	tx.PutControlNode(&model.ControlNode{ID: "n", Name: "n1", Address: "h:1"})
	tx.PutCertificate(&model.Certificate{Serial: "01", Role: model.NodeControl, NodeID: "n", Name: "n1", KeyHash: "k"})
	tx.PutJoinToken(&model.JoinToken{ID: "t", Role: model.NodeControl, Name: "n1", SecretHash: make([]byte, 32), CreatedAt: 1, ExpiresAt: 2,
		UsedAt: 2, UsedKey: "k", NodeID: "n", Serial: "01"})
	charges := append(SizeCharge(model.Size{VCPUs: 1, RAM: 64}, 1), Charge{"network", 1}, Charge{"subnet", 1}, Charge{"port", 1})
	if err := tx.Charge("p", charges...); err != nil {
		t.Fatal(err)
	}
	tx.Commit()
	s.Publish()
	if bad := Check(s.View()); len(bad) > 0 {
		t.Fatalf("the sound state is not: %v", bad)
	}
	return s
}
