package hostagent

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
)

const life = 9 * time.Second

// voters makes an electorate of n.
func voters(index uint64, n int) assign.Electorate {
	e := assign.Electorate{Index: index}
	for i := range n {
		id := fmt.Sprintf("c%d", i+1)
		e.Nodes = append(e.Nodes, assign.Node{ID: id, Address: id, Voter: true})
	}
	return e
}

func grantBy(id string, e assign.Electorate) assign.LeaseAnswer {
	return assign.LeaseAnswer{ClusterID: "k", Incarnation: 1, NodeID: id, Granted: true, Life: int64(life), Electorate: e}
}

func lease(seeds ...string) *Lease {
	return newLease("h", "boot/1", func() string { return "k" }, func() []string { return seeds })
}

// renew makes all calls that are due; who grants is named by who.
func renew(l *Lease, sent, got time.Duration, e assign.Electorate, who ...string) {
	for _, a := range l.Due(sent) {
		id := a.NodeID
		if id == "" {
			id = a.Address
		}
		answered := false
		for _, w := range who {
			if w == id {
				l.Answered(a, grantBy(id, e), got)
				answered = true
			}
		}
		if !answered {
			l.Failed(a)
		}
	}
}

// TestHeldByAMajority: of one, two, three, four and five voters alike.
func TestHeldByAMajority(t *testing.T) {
	for n, need := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 3} {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("c%d", i+1))
		}
		for k := 1; k <= n; k++ {
			l := lease("c1")
			e := voters(1, n)
			renew(l, 0, 0, e, "c1")
			renew(l, time.Minute, time.Minute, e, all[:k]...)
			now := time.Minute
			if l.Held(now) != (k >= need) {
				t.Errorf("%d of %d: held %t", k, n, l.Held(now))
			}
			if k >= need && (!l.Held(now+life-1) || l.Held(now+life)) {
				t.Errorf("%d of %d: does not last for a lease's life", k, n)
			}
		}
	}
}

// TestCountedFromTheTimeSent: however late the answer comes.
func TestCountedFromTheTimeSent(t *testing.T) {
	l, e := lease("c1"), voters(1, 1)
	renew(l, 10*time.Second, 15*time.Second, e, "c1")
	if !l.Held(19*time.Second-1) || l.Held(19*time.Second) {
		t.Error("not counted from the time sent")
	}
	renew(l, 20*time.Second, 30*time.Second, e, "c1")
	if l.Held(30 * time.Second) {
		t.Error("held by an answer that came when the lease was over")
	}
	if s := l.Status(30 * time.Second); s.Held || s.For != -1000 || len(s.Voters) != 1 || s.Voters[0].Granted || s.Voters[0].Heard != 0 {
		t.Errorf("%+v", s)
	}
}

// TestCovers: only a question of the present lease is covered by it.
func TestCovers(t *testing.T) {
	l, e := lease("c1"), voters(1, 1)
	if l.Covers(0, 0) {
		t.Error("covered without a lease")
	}
	renew(l, 10*time.Second, 11*time.Second, e, "c1")
	renew(l, 15*time.Second, 15*time.Second, e, "c1")
	for _, c := range []struct {
		asked, now time.Duration
		want       bool
	}{{10, 12, false}, {11, 11, true}, {11, 23, true}, {11, 24, false}, {15, 16, true}} {
		if got := l.Covers(c.asked*time.Second, c.now*time.Second); got != c.want {
			t.Errorf("asked at %d, now %d: %t", c.asked, c.now, got)
		}
	}
	renew(l, 30*time.Second, 31*time.Second, e, "c1")
	if l.Covers(15*time.Second, 32*time.Second) || !l.Covers(31*time.Second, 32*time.Second) || l.Counts().Begun != 2 {
		t.Errorf("an old question is covered by a new lease: %+v", l.Counts())
	}
}

// TestCallsInFlight: one to each voter; the next is due a third of the life
// later, about; a voter that does not answer holds no other up.
func TestCallsInFlight(t *testing.T) {
	l, e := lease("c1"), voters(1, 3)
	renew(l, 0, 0, e, "c1")
	first := l.Due(2 * time.Second)
	if len(first) != 3 || first[0].NodeID != "c1" {
		t.Fatalf("due: %+v", first)
	}
	l.Answered(first[0], grantBy("c1", e), 2*time.Second)
	now := 2 * time.Second
	seen := map[uint64]bool{}
	for range 1000 {
		for _, a := range l.Due(now) {
			if a.NodeID == "c3" || a.NodeID == "c2" {
				t.Fatalf("a second call to %s", a.NodeID)
			}
			if seen[a.Request.Seq] || a.Request.Instance != "boot/1" || a.Request.HostID != "h" || a.Timeout != life/3 {
				t.Fatalf("%+v", a)
			}
			seen[a.Request.Seq] = true
			l.Answered(a, grantBy("c1", e), now)
		}
		next := l.Next(now)
		if next <= now || next-now > life/3 {
			t.Fatalf("at %v the next is at %v", now, next)
		}
		now = next
	}
	// All calls but c1's hang: in so long a time it was renewed every 2.7 s to 3 s.
	if every := (now - 2*time.Second) / time.Duration(len(seen)); every < life/3*9/10-time.Second/10 || every > life/3 {
		t.Errorf("%d calls in %v", len(seen), now)
	}
}

// TestNewestElectorateCounts: whoever votes no more counts for nothing, an older
// list is not taken, and a larger one asks for more.
func TestNewestElectorateCounts(t *testing.T) {
	l := lease("c1")
	three := voters(5, 3)
	renew(l, 0, 0, three, "c1")
	renew(l, time.Minute, time.Minute, three, "c1", "c2")
	now := time.Minute
	if !l.Held(now) {
		t.Fatal("not held by two of three")
	}
	older := voters(4, 1)
	if l.learn(grantBy("c1", older)); len(l.Nodes()) != 3 {
		t.Fatal("an older list was taken")
	}
	five := voters(6, 5)
	five.Nodes = append(five.Nodes, assign.Node{ID: "c6", Address: "c6"})
	if l.learn(grantBy("c1", five)); l.Held(now) {
		t.Error("held by two of five")
	}
	if n := l.Nodes(); len(n) != 6 {
		t.Errorf("nodes %v", n)
	}
	moved := assign.Electorate{Index: 7, Nodes: []assign.Node{{ID: "c1", Address: "c1", Voter: true}, {ID: "c4", Address: "c4", Voter: true}, {ID: "c5", Address: "c5", Voter: true}}}
	l.learn(grantBy("c1", moved))
	if len(l.grants) != 1 {
		t.Errorf("grants of %v", l.grants)
	}
	for _, a := range l.Due(2 * time.Minute) {
		if a.NodeID == "c2" || a.NodeID == "c3" || a.NodeID == "c6" {
			t.Errorf("asked %s", a.NodeID)
		}
	}
}

// TestStrangeAnswersCountForNothing: another node, cluster or incarnation, or a
// life that is none.
func TestStrangeAnswersCountForNothing(t *testing.T) {
	l, e := lease("c1"), voters(1, 1)
	e.Nodes[0].Address = ""
	renew(l, 0, 0, e, "c1")
	now := time.Minute
	for name, change := range map[string]func(*assign.LeaseAnswer){
		"another node":    func(a *assign.LeaseAnswer) { a.NodeID = "c2" },
		"nobody":          func(a *assign.LeaseAnswer) { a.NodeID = "" },
		"another cluster": func(a *assign.LeaseAnswer) { a.ClusterID = "x" },
		"no life":         func(a *assign.LeaseAnswer) { a.Life = -1 },
		"too long a life": func(a *assign.LeaseAnswer) { a.Life = int64(maxLife) + 1 },
		"older":           func(a *assign.LeaseAnswer) { a.Incarnation = 0 },
		"too many nodes":  func(a *assign.LeaseAnswer) { a.Electorate = voters(9, maxNodes+1) },
	} {
		now += time.Minute
		due := l.Due(now)
		if len(due) != 1 || due[0].NodeID != "c1" || due[0].Address != "c1" {
			t.Fatalf("due %+v", due)
		}
		r := grantBy("c1", e)
		change(&r)
		l.Answered(due[0], r, now)
		if l.Held(now) {
			t.Errorf("%s: held", name)
		}
	}
	// A restored cluster is another incarnation: nothing of the old one counts.
	renew(l, time.Hour, time.Hour, e, "c1")
	if !l.Held(time.Hour) {
		t.Fatal("not held")
	}
	l.learn(assign.LeaseAnswer{NodeID: "c1", Incarnation: 2, Electorate: voters(1, 1)})
	if l.Held(time.Hour) {
		t.Error("a grant of the old incarnation counts in the new one")
	}
}

// TestSeeds: they are asked as long as the lease is not held, and again when it
// is lost: the addresses may all have changed.
func TestSeeds(t *testing.T) {
	l, e := lease("http://a", "http://b"), voters(1, 1)
	addresses := func(now time.Duration) (all []string) {
		for _, a := range l.Due(now) {
			all = append(all, a.Address)
			l.Failed(a)
		}
		return all
	}
	if got := addresses(0); !reflect.DeepEqual(got, []string{"http://a", "http://b"}) {
		t.Fatalf("asked %v", got)
	}
	for _, a := range l.Due(time.Minute) {
		l.Answered(a, grantBy("c1", e), time.Minute)
	}
	if got := addresses(time.Minute + life/2); !reflect.DeepEqual(got, []string{"c1"}) {
		t.Errorf("held, and asked %v", got)
	}
	if got := addresses(time.Hour); !reflect.DeepEqual(got, []string{"c1", "http://a", "http://b"}) {
		t.Errorf("lost, and asked %v", got)
	}
}

// TestSeedsMayChange: as long as the lease is not held, whoever is known now is
// asked, and what is known no more is forgotten.
func TestSeedsMayChange(t *testing.T) {
	seeds := []string{"gone"}
	l := newLease("h", "boot/1", func() string { return "k" }, func() []string { return seeds })
	asks := func(now time.Duration) (to string) {
		for _, a := range l.Due(now) {
			to += a.Address + " "
			l.Failed(a)
		}
		return to
	}
	if to := asks(0); to != "gone " {
		t.Errorf("asks %q", to)
	}
	seeds = []string{"gone", "c1"}
	if next := l.Next(0); next != 0 {
		t.Errorf("waits until %v for a node that it has just learned of", next)
	}
	if to := asks(0); to != "c1 " {
		t.Errorf("asks %q", to)
	}
	for i := range 3 * maxNodes {
		seeds = []string{fmt.Sprint("s", i)}
		asks(time.Duration(i) * time.Hour)
	}
	if n := len(l.calls); n > maxNodes+2 {
		t.Errorf("remembers %d addresses", n)
	}
	seeds = []string{"c1"}
	renew(l, 10000*time.Hour, 10000*time.Hour, voters(1, 1), "c1")
	if !l.Held(10000 * time.Hour) {
		t.Error("not held")
	}
}
