package barepeer

import (
	"testing"
	"time"
)

func TestPeerTakesProposals(t *testing.T) {
	dir := t.TempDir()
	for life := range 2 {
		p, err := Open(Config{Dir: dir, ID: "n1"})
		if err != nil {
			t.Fatal(err)
		}
		untilLeads(t, p)
		for range 3 {
			if err := p.Propose([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := p.Read(); err != nil || n != uint64(3*(life+1)) {
			t.Errorf("life %d: %d entries applied, %v; want %d", life, n, err, 3*(life+1))
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func untilLeads(t *testing.T, p *Peer) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if leads, known := p.Leads(); leads && known {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a cluster of one has no leader")
		}
	}
}
