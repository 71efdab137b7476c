package barepeer

import "testing"

func TestPeerTakesProposals(t *testing.T) {
	p, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := p.Propose([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Propose([]byte("late")); err == nil {
		t.Error("a stopped peer took a proposal")
	}
}
