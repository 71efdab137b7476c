package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

func TestCredentialsComeBack(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); !errs.Is(err, errs.NotFound) {
		t.Errorf("before: %v", err)
	}
	pending := must(PendingKey(dir))
	again := must(PendingKey(dir))
	if must(KeyFingerprint(pending.Public())) != must(KeyFingerprint(again.Public())) {
		t.Error("the pending key did not stay")
	}
	a, who := must(NewAuthority(clusterA, day)), identity(Control, nodeOne)
	cert := must(a.Sign(must(NewRequest(pending, who)), who, day, time.Hour))
	c := must(NewCredentials(pending, cert.Raw, a.Certificate().Raw))
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir)
	if err != nil || got.Identity() != who || !bytes.Equal(got.Certificate().Raw, cert.Raw) || !bytes.Equal(got.Authority().Raw, a.Certificate().Raw) {
		t.Fatalf("%+v, %v", got, err)
	}
	if from, until := got.Period(); !from.Equal(day.Add(-backdate)) || !until.Equal(day.Add(time.Hour)) {
		t.Errorf("good from %v to %v", from, until)
	}
	entries := must(os.ReadDir(dir))
	if len(entries) != 1 || must(entries[0].Info()).Mode().Perm() != 0o600 {
		t.Errorf("left behind: %v", entries)
	}
	newer := member(t, a, who)
	if err := newer.Save(dir); err != nil {
		t.Fatal(err)
	}
	if SerialOf(must(Load(dir)).Certificate()) != SerialOf(newer.Certificate()) {
		t.Error("the old ones are still there")
	}
}

func TestLoadRefusesWhatIsDamaged(t *testing.T) {
	dir := t.TempDir()
	a := must(NewAuthority(clusterA, day))
	if err := member(t, a, identity(Agent, nodeOne)).Save(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, credentialsFile)
	whole := must(os.ReadFile(file))
	stranger := must(encodeKey(must(NewKey())))
	_, certs := pem.Decode(whole)
	for name, content := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)-100], "no key": certs, "another key": append(stranger, certs...), "huge": make([]byte, maxFile+1),
		"one certificate too many": append(bytes.Clone(whole), certs...),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(dir)
		kindIs(t, name, err, errs.Invalid)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := Load(dir)
	kindIs(t, "readable by the group", err, errs.Invalid)
}

func TestSaveLeavesTheOldOnesWhenItFails(t *testing.T) {
	dir := t.TempDir()
	a, who := must(NewAuthority(clusterA, day)), identity(Agent, nodeOne)
	first := member(t, a, who)
	if err := first.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := member(t, a, who).Save(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("written to a folder that is not there")
	}
	if SerialOf(must(Load(dir)).Certificate()) != SerialOf(first.Certificate()) {
		t.Error("the old ones are gone")
	}
}

func TestCredentialsBelongTogether(t *testing.T) {
	a, b := must(NewAuthority(clusterA, day)), must(NewAuthority(clusterA, day))
	who := identity(Agent, nodeOne)
	c := member(t, a, who)
	if _, err := NewCredentials(must(NewKey()), c.Certificate().Raw, a.Certificate().Raw); !errs.Is(err, errs.Invalid) {
		t.Errorf("another key: %v", err)
	}
	if _, err := NewCredentials(c.now.Load().key, c.Certificate().Raw, b.Certificate().Raw); !errs.Is(err, errs.Invalid) {
		t.Errorf("another authority: %v", err)
	}
	for name, other := range map[string]*Credentials{"another node": member(t, a, identity(Agent, nodeTwo)),
		"another role": member(t, a, identity(Control, nodeOne)), "another authority": member(t, b, who)} {
		kindIs(t, name, c.Swap(other), errs.Conflict)
	}
}

// TestSwapWhileInUse: handshakes go on while the credentials are swapped, each
// with the old ones or with the new ones.
func TestSwapWhileInUse(t *testing.T) {
	a := must(NewAuthority(clusterA, day))
	who := identity(Control, nodeOne)
	server, client := member(t, a, who), member(t, a, identity(Control, nodeTwo))
	sets := []*Credentials{member(t, a, who), member(t, a, who)}
	var swapping sync.WaitGroup
	stop := make(chan struct{})
	swapping.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := server.Swap(sets[i%2]); err != nil {
				t.Error(err)
				return
			}
		}
	})
	seen := map[string]bool{}
	for i := 0; i < 500 && len(seen) < 2; i++ {
		conf := endpoint(client).Client(Peer, func(Identity) error { return nil })
		conf.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
			seen[SerialOf(must(x509.ParseCertificate(raw[0])))] = true
			return nil
		}
		if serr, cerr := shake(t, endpoint(server).Server(Peer), conf); serr != nil || cerr != nil {
			t.Fatalf("server %v, client %v", serr, cerr)
		}
	}
	close(stop)
	swapping.Wait()
	if len(seen) < 2 {
		t.Errorf("only %d sets were seen", len(seen))
	}
}
