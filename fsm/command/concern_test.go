package command

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// told is what every host is told in a view.
func told(v state.View) map[model.HostID]assign.Desired {
	all := map[model.HostID]assign.Desired{}
	for h := range v.Hosts() {
		all[h.ID] = state.Desired(v, h.ID)
	}
	return all
}

// concerns tells whether c names the host that was told d.
func concerns(c state.Concern, host model.HostID, d assign.Desired) bool {
	if c.All || c.Hosts[host] {
		return true
	}
	for _, n := range d.Networks {
		if c.Networks[model.NetworkID(n.ID)] {
			return true
		}
	}
	return false
}

// TestConcernedNamesEverybody: whatever happens, a host that is told something
// else afterwards was named; and most of those that are not, were not.
func TestConcernedNamesEverybody(t *testing.T) {
	draw := drawn()
	named, changed, asked, gone := 0, 0, 0, 0
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRig(t, seed+100)
			r.store = state.NewStore(512)
			r.stamp = state.Stamp{Term: 1, At: 1e9}
			r.must(By{System: Bootstrap}, exampleClusterInit())
			was, before := r.View(), told(r.View())
			for range 500 {
				var kinds []string
				for range 1 + r.Intn(4) {
					if c, by, ok := Work(draw[r.Intn(len(draw))], r); ok {
						kinds = append(kinds, c.Kind())
						_, _ = r.apply(by, c) // a refusal changes nothing, and must concern nobody
					}
				}
				now, after := r.View(), told(r.View())
				changes, _, err := r.store.Feed().Since(was.Index, 1<<10)
				if errs.Is(err, errs.Gone) {
					gone++
				} else if err != nil {
					t.Fatal(err)
				} else {
					c := state.Concerned(was, now, changes)
					for host, d := range after {
						asked++
						is := concerns(c, host, before[host])
						if is {
							named++
						}
						if before[host].Digest != d.Digest {
							changed++
							if !is {
								t.Fatalf("entry %d: %v changed what host %s is told, and %+v does not name it:\n%+v\n%+v", now.Index, kinds, host, c, before[host], d)
							}
						}
					}
				}
				was, before = now, after
			}
		})
	}
	t.Logf("of %d times a host could have been concerned it was named %d times and told something else %d times; %d times the feed was too short", asked, named, changed, gone)
	if changed < 200 || named > 5*changed || gone > 100 {
		t.Error("that proves too little")
	}
}

// TestWhomAChangeConcerns goes through what happens in a cloud of four hosts,
// of which the first and third have guests on one network, the second on
// another, and the fourth on none.
func TestWhomAChangeConcerns(t *testing.T) {
	r := newRig(t, 1).withCloud()
	r.store = grown(t, r)
	host := func(n int) model.HostID { return model.HostID(fmt.Sprintf("00000000-0000-4000-8000-0000000000f%d", n)) }
	server := func(n int) model.ServerID { return model.ServerID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)) }
	register := func(n int, address, boot string) *HostRegister {
		return &HostRegister{ID: host(n), Name: fmt.Sprintf("h%d", n), Address: address, BootID: boot, VCPUs: 8, RAM: 1 << 14, Disk: 100}
	}
	create := func(n int, net model.NetworkID) *ServerCreate {
		c := aServer()
		c.Items = []ServerItem{{ID: server(n), Name: fmt.Sprintf("s%d", n), Hostname: fmt.Sprintf("s%d", n), NICs: []ServerNIC{
			{PortID: model.PortID(fmt.Sprintf("00000000-0000-4000-8000-1%011d", n)), NetworkID: net, MAC: fmt.Sprintf("fa:16:3e:00:01:%02x", n)}}}}
		return c
	}
	place := func(s, h int) *ServersPlace {
		return &ServersPlace{Items: []Placement{{ServerID: server(s), HostID: host(h)}}}
	}
	sees := func(h, s int, state string) *HostReport {
		return &HostReport{HostID: host(h), Guests: []GuestObserved{{ID: server(s), Permit: r.View().Permit(server(s)).Number, State: state, PowerEpoch: 1}}}
	}
	const farNet, farSubnet, kernel = "00000000-0000-4000-8000-0000000000e8", "00000000-0000-4000-8000-0000000000e9", "00000000-0000-4000-8000-0000000000d7"
	for n := 2; n <= 4; n++ {
		r.must(hostActor(host(n)), register(n, "10.9.0.1:8772", "b1"))
	}
	r.must(r.demo(), &NetworkCreate{ID: farNet, ProjectID: demoProject, Name: "far"})
	r.must(r.demo(), &SubnetCreate{ID: farSubnet, NetworkID: farNet, ProjectID: demoProject, CIDR: "10.1.0.0/24", Gateway: "10.1.0.1"})
	r.must(r.demo(), &RouterCreate{ID: cloudRouter, ProjectID: demoProject, Name: "gate"})
	r.must(r.demo(), exampleRouterAttach())
	for n, net := range map[int]model.NetworkID{1: cloudNet, 2: farNet, 3: cloudNet} {
		r.must(r.demo(), create(n, net))
		r.must(r.leader(), place(n, n))
		r.must(hostActor(host(n)), sees(n, n, "running"))
	}
	attach := &RouterAttach{ID: cloudRouter, SubnetID: farSubnet, PortID: "00000000-0000-4000-8000-0000000000ea", MAC: "fa:16:3e:00:00:0a"}
	yes, no, mtu, name, other := true, false, 1300, "renamed", "renamed-again"
	image := &ImageCreate{ID: kernel, ProjectID: adminProject, Name: "k", Visibility: "public", DiskFormat: "aki", ContainerFormat: "aki"}
	upload := exampleImageUpload()
	upload.ID = kernel
	const nobody, here, all = "", "1 3", "1 2 3"
	for _, c := range []struct {
		name string
		by   By
		do   func() Command
		// told are the hosts that are told something else afterwards, and named
		// those that are named; empty if they are the same.
		told, named string
	}{
		{"a rename, seen on the network", r.demo(), func() Command { return &ServerUpdate{ID: server(1), Hostname: &name} }, here, ""},
		{"a router comes", r.demo(), func() Command { return attach }, all, ""},
		{"a rename, seen beyond the router", r.demo(), func() Command { return &ServerUpdate{ID: server(1), Hostname: &other} }, all, ""},
		{"the router goes down", r.demo(), func() Command { return &RouterUpdate{ID: cloudRouter, Down: &yes} }, all, ""},
		{"the router comes up", r.demo(), func() Command { return &RouterUpdate{ID: cloudRouter, Down: &no} }, all, ""},
		{"an MTU", r.demo(), func() Command { return &NetworkUpdate{ID: farNet, MTU: &mtu} }, all, ""},
		{"resolvers", r.demo(), func() Command { return &SubnetUpdate{ID: farSubnet, DNS: &[]string{"9.9.9.9"}} }, all, ""},
		{"a wish", r.demo(), func() Command { return &ServerPower{ID: server(2)} }, "2", ""},
		{"metadata", r.demo(), func() Command { return &ServerUpdate{ID: server(2), Metadata: &map[string]string{"a": "b"}} }, "2", ""},
		{"a password", hostActor(host(2)), func() Command {
			return &ServerPassword{ID: server(2), Permit: r.View().Permit(server(2)).Number, Password: []byte("sealed")}
		}, "2", ""},
		{"tags", r.demo(), func() Command { return &ServerUpdate{ID: server(2), Tags: &[]string{"a"}} }, nobody, ""},
		{"a kernel is named", r.admin(), func() Command {
			return &ImageUpdate{ID: cloudImage, Properties: &map[string]string{"kernel_id": kernel}}
		}, nobody, all},
		{"the kernel comes", r.admin(), func() Command { return image }, all, ""},
		{"and its bytes", r.admin(), func() Command { return upload }, all, ""},
		{"a server waits for its host", r.demo(), func() Command { return create(4, farNet) }, all, ""},
		{"and gets it", r.leader(), func() Command { return place(4, 4) }, "4", "1 2 3 4"},
		{"it runs", hostActor(host(4)), func() Command { return sees(4, 4, "running") }, nobody, ""},
		{"another boot", hostActor(host(4)), func() Command { return register(4, "10.9.0.1:8772", "b2") }, nobody, ""},
		{"another address", hostActor(host(4)), func() Command { return register(4, "10.9.0.2:8772", "b2") }, nobody, "1 2 3 4"},
		{"a host's service", r.admin(), func() Command { c := exampleHostService(); c.ID = host(4); return c }, nobody, ""},
		{"a flavor", r.admin(), func() Command { return exampleFlavorCreate() }, nobody, ""},
		{"a quota", r.admin(), func() Command { return exampleQuotaSet() }, nobody, ""},
		{"a delete", r.demo(), func() Command { return &ServerDelete{ID: server(4)} }, "1 2 3 4", ""},
		{"it is gone", hostActor(host(4)), func() Command { return sees(4, 4, "removed") }, "4", "1 2 3 4"},
		{"the router goes", r.demo(), func() Command { return &RouterDetach{ID: cloudRouter, SubnetID: farSubnet} }, all, ""},
		{"an MTU, not seen from there", r.demo(), func() Command { return &NetworkUpdate{ID: farNet, MTU: &mtu, Name: &name} }, nobody, "2"},
		{"a new host", hostActor(host(5)), func() Command { return register(5, "", "b") }, nobody, ""},
	} {
		was, before := r.View(), told(r.View())
		r.must(c.by, c.do())
		changes, _, err := r.store.Feed().Since(was.Index, 1<<10)
		if err != nil {
			t.Fatal(err)
		}
		concern, after := state.Concerned(was, r.View(), changes), told(r.View())
		var changed, named []string
		for n := 1; n <= 4; n++ {
			if before[host(n)].Digest != after[host(n)].Digest {
				changed = append(changed, fmt.Sprint(n))
			}
			if concerns(concern, host(n), before[host(n)]) {
				named = append(named, fmt.Sprint(n))
			}
		}
		want := c.named
		if want == "" {
			want = c.told
		}
		if strings.Join(changed, " ") != c.told || strings.Join(named, " ") != want {
			t.Errorf("%s: told something else %v, want %s; named %v, want %s\n%+v", c.name, changed, c.told, named, want, changes)
		}
	}
}

// grown gives a rig's state to a store with a longer feed.
func grown(t *testing.T, r *rig) *state.Store {
	t.Helper()
	var b bytes.Buffer
	if _, err := r.store.Snapshot().WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	s := state.NewStore(512)
	if err := s.Restore(&b); err != nil {
		t.Fatal(err)
	}
	return s
}
