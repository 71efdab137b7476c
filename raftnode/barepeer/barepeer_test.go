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
	if p.machine.n != 3 {
		t.Errorf("%d entries applied, want 3", p.machine.n)
	}
}
