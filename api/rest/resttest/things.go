package resttest

import (
	"strings"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

// The projects and users. AdminUser is an administrator in AdminProject;
// MemberUser a member and ReaderUser a reader of MemberProject; StrangerUser a
// member of StrangerProject.
const (
	AdminProject    = model.ProjectID("000000000000000000000000000000a1")
	MemberProject   = model.ProjectID("000000000000000000000000000000a2")
	StrangerProject = model.ProjectID("000000000000000000000000000000a3")
	AdminUser       = model.UserID("000000000000000000000000000000b1")
	MemberUser      = model.UserID("000000000000000000000000000000b2")
	ReaderUser      = model.UserID("000000000000000000000000000000b3")
	StrangerUser    = model.UserID("000000000000000000000000000000b4")
)

// The things of a new world: an active public image of 1 MiB, a network of
// MemberProject with the subnet 10.0.0.0/24, and a host h1 of 8 CPUs in zone
// nova. Flavors are those of the golden cluster.init/1: "1" m1.tiny (1 CPU,
// 512 MiB, 1 GiB) and "2" m1.small (1 CPU, 2 GiB, 20 GiB).
const (
	Image   = model.ImageID("00000000-0000-4000-8000-0000000000d1")
	Network = model.NetworkID("00000000-0000-4000-8000-0000000000e1")
	Subnet  = model.SubnetID("00000000-0000-4000-8000-0000000000e2")
	Host    = model.HostID("00000000-0000-4000-8000-0000000000f1")
)

// roles are the golden cluster.init/1's.
const (
	roleMember = model.RoleID("000000000000000000000000000000c2")
	roleReader = model.RoleID("000000000000000000000000000000c3")
)

// fill makes the things.
func (w *World) fill() {
	w.T.Helper()
	w.Must(command.By{System: command.Bootstrap}, command.Example("cluster.init/1"))
	admin := w.By(Admin)
	for _, p := range []struct {
		id   model.ProjectID
		name string
	}{{MemberProject, "demo"}, {StrangerProject, "elsewhere"}} {
		w.Must(admin, &command.ProjectCreate{ID: p.id, DomainID: "default", Name: p.name})
	}
	for _, u := range []struct {
		id      model.UserID
		name    string
		project model.ProjectID
		role    model.RoleID
	}{{MemberUser, "demo", MemberProject, roleMember}, {ReaderUser, "reader", MemberProject, roleReader},
		{StrangerUser, "stranger", StrangerProject, roleMember}} {
		w.Must(admin, &command.UserCreate{ID: u.id, DomainID: "default", Name: u.name, DefaultProject: u.project})
		w.Must(w.By(Admin), &command.GrantPut{UserID: u.id, ProjectID: u.project, RoleID: u.role})
	}
	w.Must(w.By(Admin), &command.ImageCreate{ID: Image, ProjectID: AdminProject, Name: "small", Visibility: "public",
		DiskFormat: "qcow2", ContainerFormat: "bare"})
	w.Must(w.By(Admin), &command.ImageUpload{ID: Image, SHA256: strings.Repeat("25", 32), SHA512: strings.Repeat("51", 64),
		MD5: strings.Repeat("d5", 16), Size: 4096, VirtualSize: 1 << 20})
	w.AddNetwork(Network, Subnet, MemberProject, "private", "10.0.0.0/24")
	w.AddHost(Host, "h1")
}

// AddNetwork makes a network with a subnet whose gateway is its first address,
// for a user of the project.
func (w *World) AddNetwork(id model.NetworkID, subnet model.SubnetID, p model.ProjectID, name, cidr string) {
	w.T.Helper()
	w.Must(w.By(Admin), &command.NetworkCreate{ID: id, ProjectID: p, Name: name})
	gateway := strings.Replace(cidr, ".0/24", ".1", 1)
	w.Must(w.By(Admin), &command.SubnetCreate{ID: subnet, NetworkID: id, ProjectID: p, CIDR: cidr, Gateway: gateway})
}

// AddHost registers a host of 8 CPUs, 16 GiB and 100 GiB in zone nova.
func (w *World) AddHost(id model.HostID, name string) {
	w.T.Helper()
	w.Must(command.By{System: command.HostBy + string(id)}, &command.HostRegister{ID: id, Name: name, Address: "127.0.0.1:8772",
		Zone: "nova", VCPUs: 8, RAM: 16384, Disk: 100, Archs: []string{"x86_64"}, Hypervisor: "QEMU", HypervisorVersion: 7002000,
		CPUInfo: `{"arch":"x86_64","model":"qemu64"}`, BootID: "b00t", AgentVersion: "test"})
}

// Leader is the leader as an actor.
func (w *World) Leader() command.By { return command.By{System: command.Leader, Term: 1} }

// Place gives a waiting server to the host.
func (w *World) Place(id model.ServerID) {
	w.T.Helper()
	w.Must(w.Leader(), &command.ServersPlace{Items: []command.Placement{{ServerID: id, HostID: Host, Trace: "at index 7, 1 host; 1. h1 (2000)"}}})
}

// Report lets a server's host say what it sees of it, up to date with all that
// was asked for.
func (w *World) Report(id model.ServerID, st assign.State) {
	w.T.Helper()
	p := w.View().Permit(id)
	if p == nil {
		w.T.Fatalf("server %s has no permit: place it first", id)
	}
	o := command.GuestObserved{ID: id, Permit: p.Number, State: string(st)}
	if s := w.View().Server(id); s != nil {
		o.PowerEpoch, o.RebootEpoch = s.PowerEpoch, s.RebootEpoch
	}
	w.Must(command.By{System: command.HostBy + string(p.HostID)}, &command.HostReport{HostID: p.HostID, Guests: []command.GuestObserved{o}})
}

// Run places a server and lets its host report that it runs.
func (w *World) Run(id model.ServerID) {
	w.T.Helper()
	w.Place(id)
	w.Report(id, assign.Running)
}
