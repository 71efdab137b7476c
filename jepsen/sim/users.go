package sim

import (
	"fmt"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// wishes are what users do, each as often as its number says. What a host or
// the leader says is not among them: here those speak for themselves.
var wishes = []struct {
	kind  string
	often int
}{
	{"server.create/1", 14}, {"server.delete/1", 9}, {"server.power/1", 10}, {"server.reboot/1", 8}, {"server.update/1", 3},
	{"port.create/1", 2}, {"port.update/1", 1}, {"port.delete/1", 2},
	{"network.create/1", 1}, {"network.update/1", 1}, {"network.delete/1", 1},
	{"subnet.create/1", 1}, {"subnet.update/1", 1}, {"subnet.delete/1", 1},
	{"router.create/1", 1}, {"router.update/1", 1}, {"router.delete/1", 1}, {"router.attach/1", 1}, {"router.detach/1", 1},
	{"image.create/1", 1}, {"image.upload/1", 1}, {"image.update/1", 1},
	{"key_pair.create/1", 1}, {"key_pair.delete/1", 1}, {"flavor.create/1", 1}, {"flavor.delete/1", 1},
	{"quota.set/1", 1}, {"quota.reset/1", 1}, {"token.revoke/1", 1}, {"host.service/1", 1},
	{"join_token.create/1", 1}, {"join_token.delete/1", 1}, {"node.join/1", 1}, {"node.remove/1", 1},
}

// chaos are all kinds, for the mode without hosts.
func chaos() []string {
	return append(command.Kinds(), "server.create/1", "server.create/1", "server.delete/1", "servers.place/1", "servers.place/1", "host.report/1", "host.report/1",
		"join_token.create/1", "node.join/1")
}

// gen is what workloads draw from; it implements command.Gen.
type gen struct{ w *world }

// View implements command.Gen.
func (g gen) View() state.View { return g.w.view() }

// Intn implements command.Gen.
func (g gen) Intn(n int) int { return g.w.work.IntN(n) }

// UUID implements command.Gen.
func (g gen) UUID() string { return g.w.ids.uuid() }

// Hex implements command.Gen.
func (g gen) Hex() string { return g.w.ids.hex() }

// user wishes for one thing after another for as long as the first phase
// lasts.
func (w *world) user() {
	if w.healed {
		return
	}
	pause := func() { w.in(w.work.span(100*time.Millisecond, 6*time.Second), w.user) }
	c, by, ok := w.wish()
	if !ok {
		pause()
		return
	}
	w.ask(by, c, pause)
}

// wish makes up a command.
func (w *world) wish() (command.Command, command.By, bool) {
	kind := w.menu[w.work.IntN(len(w.menu))]
	c, by, ok := command.Work(kind, gen{w})
	if create, is := c.(*command.ServerCreate); is && ok {
		w.plugExisting(create)
	}
	return c, by, ok
}

// plugExisting lets a new server now and then take a port that its user made.
func (w *world) plugExisting(c *command.ServerCreate) {
	if w.work.IntN(3) > 0 {
		return
	}
	for p := range w.view().PortsOf(c.ProjectID) {
		if p.DeviceID == "" && p.DeviceOwner == "" {
			c.Items[0].NICs = append(c.Items[0].NICs, command.ServerNIC{Existing: p.ID})
			return
		}
	}
}

// ask sends a request; then is called once it is answered.
func (w *world) ask(by command.By, c command.Command, then func()) {
	r := &request{w: w, n: len(w.asked) + 1, env: command.Envelope{ID: "req-" + w.ids.uuid(), By: by, Command: c}, then: then}
	w.asked = append(w.asked, r)
	w.requests[r.env.ID] = r
	w.counts.Requests++
	w.sent(r)
	r.send()
}

// found lays the ground that users stand on: the cluster, projects with a user
// and a network each, and an image. Nothing fails yet.
func (w *world) found() {
	w.must(command.By{System: command.Bootstrap}, command.Example("cluster.init/1"))
	root := command.By{UserID: "000000000000000000000000000000b1", ProjectID: "000000000000000000000000000000a1", Admin: true, UserEpoch: 1, ProjectEpoch: 1}
	w.must(root, command.Example("image.create/1"))
	w.must(root, command.Example("image.upload/1"))
	for i := range w.opts.Projects {
		p, u := model.ProjectID(w.ids.hex()), model.UserID(w.ids.hex())
		w.must(root, &command.ProjectCreate{ID: p, DomainID: "default", Name: fmt.Sprintf("project-%d", i+1)})
		w.must(root, &command.UserCreate{ID: u, DomainID: "default", Name: fmt.Sprintf("user-%d", i+1), DefaultProject: p})
		w.must(root, &command.GrantPut{UserID: u, ProjectID: p, RoleID: "000000000000000000000000000000c2"})
		n := model.NetworkID(w.ids.uuid())
		w.must(root, &command.NetworkCreate{ID: n, ProjectID: p, Name: "private"})
		w.must(root, &command.SubnetCreate{ID: model.SubnetID(w.ids.uuid()), NetworkID: n, ProjectID: p, Name: "private",
			CIDR: fmt.Sprintf("192.168.%d.0/%d", i, w.opts.SubnetBits), Gateway: fmt.Sprintf("192.168.%d.1", i)})
	}
}

// must commits what cannot be refused.
func (w *world) must(by command.By, c command.Command) {
	data, err := command.Encode(command.Envelope{By: by, Command: c})
	if err == nil {
		err = w.log.commit(data).Err
	}
	if err != nil {
		panic(fmt.Sprintf("sim: %s: %v", c.Kind(), err))
	}
}
