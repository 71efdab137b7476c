package kernel_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/kernel/bed"
)

// A port that is down is shut both ways while its neighbours talk on, and is
// open again without its guest's doing anything.
func TestPortDown(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	c := twoProjects(b.Prefix)
	c.Ports = append(c.Ports, c.Ports[1])
	third := &c.Ports[len(c.Ports)-1]
	third.ID, third.Tap, third.Hostname = "red3", third.Tap[:len(third.Tap)-1]+"3", "red3"
	third.MAC[5], third.Addrs = 7, []netip.Addr{netip.MustParseAddr("10.0.0.7")}
	one, two, three := boot(b, c, "red1"), boot(b, c, "red2"), boot(b, c, "red3")
	converge(t, b, c)
	settle(t, b, one, "10.0.0.6")
	settle(t, b, one, "10.0.0.7")
	wires := map[string]*bed.Wire{"red1": b.Wire(one), "red2": b.Wire(two), "red3": b.Wire(three)}
	all := [4]byte{255, 255, 255, 255}
	say := func(id, text string) []byte {
		p := port(c, id)
		return ether(p.MAC, 0x0800, udp(p.Addrs[0].As4(), all, 1, 2, text))
	}
	down := func(is bool) {
		t.Helper()
		c.Ports[0].Down = is
		converge(t, b, c)
	}
	before := drops(t, b)["drop_down"]
	down(true)
	for _, frame := range []struct{ id, text string }{{"red1", word}, {"red3", marker}} {
		if err := wires[frame.id].Send(say(frame.id, frame.text)); err != nil {
			t.Fatal(err)
		}
	}
	if seen, err := wires["red2"].Until(marker, word, clock.Real{}.Now().Add(5*time.Second)); err != nil || seen > 0 {
		t.Errorf("a port that is down sent %d frames, %v", seen, err)
	}
	// The other way: what the third sends reaches its neighbour, and not the
	// port that is down.
	if err := wires["red3"].Send(say("red3", word)); err != nil {
		t.Fatal(err)
	}
	if ping(b, one, "10.0.0.1") || ping(b, one, "10.0.0.6") || ping(b, two, "10.0.0.5") {
		t.Error("a guest whose port is down is answered, or answers")
	}
	if !ping(b, two, "10.0.0.7") || !ping(b, two, "10.0.0.1") {
		t.Error("the neighbours of a port that is down do not reach each other and their gateway")
	}
	if drops(t, b)["drop_down"] == before {
		t.Error("what was dropped was not counted")
	}
	down(false)
	const after = "frame of the time after"
	if err := wires["red3"].Send(say("red3", after)); err != nil {
		t.Fatal(err)
	}
	if seen, err := wires["red1"].Until(after, word, clock.Real{}.Now().Add(5*time.Second)); err != nil || seen > 0 {
		t.Errorf("%d frames came through a port that was down, %v", seen, err)
	}
	// Whoever asked for it in vain does so again only after a while.
	settle(t, b, one, "10.0.0.1")
	settle(t, b, two, "10.0.0.5")
}

// A network that is down carries nothing, not even between guests of one host,
// and has no gateway.
func TestNetworkDown(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	c := twoProjects(b.Prefix)
	one, two, blue := boot(b, c, "red1"), boot(b, c, "red2"), boot(b, c, "blue1")
	converge(t, b, c)
	settle(t, b, one, "10.0.0.6")
	settle(t, b, one, "10.0.0.1")
	settle(t, b, blue, "10.0.0.1")
	c.Networks[0].Down = true
	converge(t, b, c)
	for _, to := range []string{"10.0.0.6", "10.0.0.1", "169.254.169.254"} {
		if ping(b, one, to) {
			t.Errorf("%s answers on a network that is down", to)
		}
	}
	if ping(b, two, "10.0.0.5") {
		t.Error("guests hear each other on a network that is down")
	}
	_, inner := netd.Names(b.Prefix).Gateway(1, 1)
	if _, err := b.Run(netd.Names(b.Prefix).RouterSpace(1), "ip", "link", "show", inner); err == nil {
		t.Error("a network that is down has a gateway")
	}
	if !ping(b, blue, "10.0.0.1") {
		t.Error("another network is down too")
	}
	c.Networks[0].Down = false
	converge(t, b, c)
	settle(t, b, one, "10.0.0.1")
	settle(t, b, one, "10.0.0.6")
}
