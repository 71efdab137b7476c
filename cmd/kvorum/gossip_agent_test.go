package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/kvorum/kvorum/gossip"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
)

func members(role gossip.Role, prefix string, n int) (all []gossip.Member) {
	for i := range n {
		all = append(all, gossip.Member{Name: fmt.Sprintf("%s%04d", prefix, i), Role: role, RPC: fmt.Sprintf("%s%04d:1", prefix, i),
			Address: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(i+1))})
	}
	return all
}

// agentOf gives a part in gossip without a pool, which is in a file of the test.
func agentOf(t *testing.T, check func(gossip.Member) error) *agentGossip {
	t.Helper()
	g := &agentGossip{gossiper: &gossiper{clock: clock.Real{}, log: slog.New(slog.DiscardHandler)}, file: filepath.Join(t.TempDir(), gossipFile), checked: map[string]bool{}}
	g.check = func(_ context.Context, m gossip.Member) error { return check(m) }
	port, err := gossip.Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	g.keeper, err = gossip.NewKeeper(gossip.Config{Name: "me", Pool: agentsPool, Role: gossip.Agent, Port: port}, g.facts)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestOnlyCertificatesCount: many say to be control nodes; the one that is one is
// found among them in the end, and then called no more.
func TestOnlyCertificatesCount(t *testing.T) {
	var mu sync.Mutex
	calls := map[string]int{}
	g := agentOf(t, func(m gossip.Member) error {
		mu.Lock()
		defer mu.Unlock()
		calls[m.Name]++
		if m.Name != "c0099" {
			return errors.New("no certificate")
		}
		return nil
	})
	all := members(gossip.Control, "c", 100)
	all = append(all, gossip.Member{Name: "mute", Role: gossip.Control})
	looks := 0
	for ; looks < 10000; looks++ {
		found := g.sure(t.Context(), all)
		if len(found) == 1 && found[0].Name == "c0099" {
			break
		}
		if len(found) > 0 {
			t.Fatalf("takes %v for control nodes", found)
		}
	}
	total := 0
	for _, n := range calls {
		total += n
	}
	if looks == 10000 || total > checksAtOnce*(looks+1) || calls["mute"] > 0 {
		t.Errorf("after %d looks, with %d calls", looks, total)
	}
	if found := g.sure(t.Context(), all[99:]); len(found) != 1 || calls["c0099"] != 1 {
		t.Errorf("%v, called %d times", found, calls["c0099"])
	}
	moved := all[99]
	moved.RPC = "elsewhere:1"
	if g.sure(t.Context(), []gossip.Member{moved}); calls["c0099"] != 2 {
		t.Error("believed at another address without a call")
	}
}

// TestWhatIsRemembered: some control nodes and some hosts, bounded, of each host
// others; nobody is no news; and it is there after a restart.
func TestWhatIsRemembered(t *testing.T) {
	g := agentOf(t, func(gossip.Member) error { return nil })
	if told, err := readGossip(g.file); err != nil || !reflect.DeepEqual(told, assign.Gossip{}) {
		t.Errorf("at first: %+v, %v", told, err)
	}
	fresh := g.learn(assign.Gossip{ClusterID: "k", Incarnation: 2, Key: []byte("key"), Seeds: []string{"b:1", "a:1"}})
	if !slices.Equal(fresh, []string{"b:1", "a:1"}) {
		t.Errorf("new are %v", fresh)
	}
	if fresh := g.learn(assign.Gossip{ClusterID: "k", Incarnation: 2, Key: []byte("key"), Seeds: []string{"a:1", "c:1"}}); !slices.Equal(fresh, []string{"c:1"}) {
		t.Errorf("then new are %v", fresh)
	}
	if !slices.Equal(g.seeds(), []string{"a:1", "b:1", "c:1"}) {
		t.Errorf("seeds %v", g.seeds())
	}
	controls, hosts := members(gossip.Control, "c", 40), members(gossip.Agent, "h", 1000)
	for i := range hosts {
		hosts[i].Address = netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), uint16(i+1))
	}
	g.remember(controls, hosts)
	kept := g.seeds()
	if len(kept) != keptControls+keptHosts {
		t.Errorf("%d are kept", len(kept))
	}
	g.remember(nil, nil)
	slices.Reverse(hosts)
	g.remember(controls, hosts)
	if !slices.Equal(g.seeds(), kept) {
		t.Error("the choice changes")
	}
	told, err := readGossip(g.file)
	if err != nil || told.Label() != "k.2" || string(told.Key) != "key" || !slices.Equal(told.Seeds, kept) {
		t.Errorf("in the file: %+v, %v", told, err)
	}
	if info, err := os.Stat(g.file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info.Mode(), err)
	}
	if f, err := g.facts(); err != nil || f.Cluster != "k.2" || string(f.Key) != "key" {
		t.Errorf("facts %+v, %v", f, err)
	}
	if err := os.WriteFile(g.file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readGossip(g.file); err == nil {
		t.Error("a damaged file is read")
	}
}

// TestNodeList: settings first, then what was told, then what was found; what was
// told outlives the process.
func TestNodeList(t *testing.T) {
	file := filepath.Join(t.TempDir(), nodesFile)
	l, err := openNodeList(file, []string{"set:1"})
	if err != nil {
		t.Fatal(err)
	}
	l.find([]string{"found:1", "told:1"})
	if err := l.learn([]string{"told:1", "also:1"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if all := l.all(); !slices.Equal(all, []string{"set:1", "also:1", "told:1", "found:1"}) {
			t.Errorf("%v", all)
		}
		l.find(nil)
		if err := l.learn(nil); err != nil {
			t.Fatal(err)
		}
	}
	var many []string
	for i := range 3 * maxFound {
		many = append(many, fmt.Sprint("n", i))
	}
	l.find(many)
	if all := l.all(); len(all) != 3+maxFound {
		t.Errorf("%d are known", len(all))
	}
	again, err := openNodeList(file, nil)
	if err != nil || !slices.Equal(again.all(), []string{"also:1", "told:1"}) {
		t.Errorf("after a restart: %v, %v", again.all(), err)
	}
}
