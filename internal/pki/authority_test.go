package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

func TestSignGivesWhatIsWantedAndNothingElse(t *testing.T) {
	a := must(NewAuthority(clusterA, day))
	for _, role := range []Role{Control, Agent} {
		who := identity(role, nodeOne)
		key := must(NewKey())
		c, err := a.Sign(must(NewRequest(key, who)), who, day, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		got, err := IdentityOf(c)
		if err != nil || got != who {
			t.Errorf("identity %+v, %v", got, err)
		}
		if c.IsCA || c.KeyUsage != x509.KeyUsageDigitalSignature || len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses) > 0 {
			t.Errorf("more than asked: %+v", c)
		}
		if len(c.ExtKeyUsage) != 2 || c.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth || c.ExtKeyUsage[1] != x509.ExtKeyUsageServerAuth {
			t.Errorf("uses: %v", c.ExtKeyUsage)
		}
		if !c.NotBefore.Equal(day.Add(-backdate)) || !c.NotAfter.Equal(day.Add(time.Hour)) {
			t.Errorf("good from %v to %v", c.NotBefore, c.NotAfter)
		}
		if n := c.SerialNumber.BitLen(); n > 128 || n < 64 {
			t.Errorf("a serial number of %d bits is no 128 of chance", n)
		}
		if err := c.CheckSignatureFrom(a.Certificate()); err != nil {
			t.Error(err)
		}
	}
}

func TestSerialNumbersDiffer(t *testing.T) {
	a, who := must(NewAuthority(clusterA, day)), identity(Agent, nodeOne)
	csr := must(NewRequest(must(NewKey()), who))
	one, two := must(a.Sign(csr, who, day, time.Hour)), must(a.Sign(csr, who, day, time.Hour))
	if SerialOf(one) == SerialOf(two) {
		t.Errorf("both are %s", SerialOf(one))
	}
	hash, key := HashSecret([]byte("s")), FingerprintOf(one)
	terms := JoinTerms(hash, key, day, time.Hour)
	again, other := JoinTerms(hash, key, day, time.Hour), JoinTerms(HashSecret([]byte("x")), key, day, time.Hour)
	if terms != again || terms.Serial == other.Serial || len(terms.Serial) != 32 {
		t.Errorf("%+v, again %+v, with another secret %+v", terms, again, other)
	}
	if c := must(a.Issue(csr, who, terms)); SerialOf(c) != terms.Serial || !c.NotAfter.Equal(terms.NotAfter) {
		t.Errorf("issued %s until %v, want %+v", SerialOf(c), c.NotAfter, terms)
	}
}

// TestSignRefuses asks for everything that nobody gets.
func TestSignRefuses(t *testing.T) {
	a, want := must(NewAuthority(clusterA, day)), identity(Agent, nodeOne)
	san := func(names ...asn1.RawValue) []pkix.Extension {
		return []pkix.Extension{{Id: oidSAN, Value: must(asn1.Marshal(names))}}
	}
	own := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagURI, Bytes: []byte(want.URI().String())}
	name := pkix.Name{CommonName: want.Name}
	rows := []struct {
		name string
		r    x509.CertificateRequest
		kind errs.Kind
	}{
		{"the role control", x509.CertificateRequest{Subject: name, URIs: []*url.URL{identity(Control, nodeOne).URI()}}, errs.Forbidden},
		{"another node's id", x509.CertificateRequest{Subject: name, URIs: []*url.URL{identity(Agent, nodeTwo).URI()}}, errs.Forbidden},
		{"another cluster", x509.CertificateRequest{Subject: name, URIs: []*url.URL{Identity{Cluster: clusterB, Role: Agent, ID: nodeOne}.URI()}}, errs.Forbidden},
		{"another name", x509.CertificateRequest{Subject: pkix.Name{CommonName: "n-9"}, URIs: []*url.URL{want.URI()}}, errs.Forbidden},
		{"no name at all", x509.CertificateRequest{Subject: name}, errs.Forbidden},
		{"two URIs", x509.CertificateRequest{Subject: name, URIs: []*url.URL{want.URI(), identity(Control, nodeOne).URI()}}, errs.Forbidden},
		{"a host name too", x509.CertificateRequest{Subject: name, URIs: []*url.URL{want.URI()}, DNSNames: []string{"control.example"}}, errs.Forbidden},
		{"an address too", x509.CertificateRequest{Subject: name, URIs: []*url.URL{want.URI()}, IPAddresses: []net.IP{{127, 0, 0, 1}}}, errs.Forbidden},
		{"a kind of name that the parser passes over", x509.CertificateRequest{Subject: name, ExtraExtensions: san(own,
			asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 8, Bytes: []byte{0x2a, 3, 4}})}, errs.Forbidden},
		{"a URI that is called something else", x509.CertificateRequest{Subject: name, ExtraExtensions: san(
			asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 8, Bytes: own.Bytes})}, errs.Forbidden},
		{"names twice", x509.CertificateRequest{Subject: name, ExtraExtensions: append(san(own), san(own)...)}, errs.Invalid},
		{"to be an authority", x509.CertificateRequest{Subject: name, URIs: []*url.URL{want.URI()}, ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}}}}, errs.Forbidden},
		{"to sign certificates", x509.CertificateRequest{Subject: name, URIs: []*url.URL{want.URI()}, ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: []byte{3, 2, 2, 4}}}}, errs.Forbidden},
	}
	key := must(NewKey())
	for _, row := range rows {
		csr, err := x509.CreateCertificateRequest(rand.Reader, &row.r, key)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		_, err = a.Sign(csr, want, day, time.Hour)
		kindIs(t, row.name, err, row.kind)
	}
}

func TestSignRefusesKeysAndDamage(t *testing.T) {
	a, who := must(NewAuthority(clusterA, day)), identity(Agent, nodeOne)
	request := func(k crypto.Signer) []byte { return must(NewRequest(k, who)) }
	if _, err := a.Sign(request(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))), who, day, time.Hour); !errs.Is(err, errs.Invalid) {
		t.Errorf("P-384: %v", err)
	}
	if _, err := a.Sign(request(must(rsa.GenerateKey(rand.Reader, 2048))), who, day, time.Hour); !errs.Is(err, errs.Invalid) {
		t.Errorf("RSA: %v", err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Sign(request(ed), who, day, time.Hour); err != nil {
		t.Errorf("Ed25519: %v", err)
	}
	good := request(must(NewKey()))
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if _, err := a.Sign(bad, who, day, time.Hour); err == nil {
			t.Errorf("a flipped bit in byte %d went unnoticed", i)
		}
	}
	for name, csr := range map[string][]byte{"nothing": nil, "cut": good[:len(good)-1], "huge": make([]byte, maxRequest+1)} {
		_, err := a.Sign(csr, who, day, time.Hour)
		kindIs(t, name, err, errs.Invalid)
	}
	_, err = a.Sign(good, Identity{Cluster: clusterB, Role: Agent, ID: nodeOne, Name: "n-1"}, day, time.Hour)
	kindIs(t, "another cluster's node", err, errs.Invalid)
	_, err = a.Sign(good, who, day, -time.Hour)
	kindIs(t, "no life", err, errs.Invalid)
	long := must(a.Sign(good, who, day, 100*365*24*time.Hour))
	if long.NotAfter.After(a.Certificate().NotAfter) {
		t.Errorf("good until %v, and the authority until %v", long.NotAfter, a.Certificate().NotAfter)
	}
}

func TestAuthorityComesBack(t *testing.T) {
	a := must(NewAuthority(clusterA, day))
	key := must(a.Key())
	for _, cert := range [][]byte{a.Certificate().Raw, pem.EncodeToMemory(&pem.Block{Type: typeCertificate, Bytes: a.Certificate().Raw})} {
		b, err := LoadAuthority(cert, key)
		if err != nil || b.Fingerprint() != a.Fingerprint() || b.Cluster() != clusterA {
			t.Fatalf("%+v, %v", b, err)
		}
	}
	if life := a.Certificate().NotAfter.Sub(day); life != authorityLife {
		t.Errorf("lives for %v", life)
	}
	other := must(NewAuthority(clusterA, day))
	if _, err := LoadAuthority(a.Certificate().Raw, must(other.Key())); !errs.Is(err, errs.Invalid) {
		t.Errorf("another one's key: %v", err)
	}
	leaf := member(t, a, identity(Control, nodeOne))
	for name, cert := range map[string][]byte{"a node's certificate": leaf.Certificate().Raw, "nothing": nil, "damage": a.Certificate().Raw[1:]} {
		_, err := LoadAuthority(cert, key)
		kindIs(t, name, err, errs.Invalid)
	}
	if _, err := NewAuthority("somewhere", day); !errs.Is(err, errs.Invalid) {
		t.Errorf("no UUID: %v", err)
	}
}

// TestForgedAuthority: a certificate that has the authority's public key, so
// that its fingerprint fits, but was not signed by it, is none.
func TestForgedAuthority(t *testing.T) {
	a, stranger := must(NewAuthority(clusterA, day)), must(NewKey())
	forged := *a.Certificate()
	forged.NotAfter = forged.NotAfter.AddDate(50, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, &forged, &forged, a.Certificate().PublicKey, stranger)
	if err == nil {
		if FingerprintOf(must(x509.ParseCertificate(der))) != a.Fingerprint() {
			t.Fatal("the forgery has another fingerprint: it proves nothing")
		}
		_, err = LoadAuthority(der, must(a.Key()))
		kindIs(t, "forged", err, errs.Invalid)
		return
	}
	// The library refuses to make it, so a bit of the signature is flipped.
	der = append([]byte(nil), a.Certificate().Raw...)
	der[len(der)-1] ^= 1
	_, err = LoadAuthority(der, must(a.Key()))
	kindIs(t, "forged", err, errs.Invalid)
}

func TestIdentityIsOnlyTheURI(t *testing.T) {
	good := identity(Control, nodeOne)
	if got, err := IdentityOf(Unsigned(good)); err != nil || got != good {
		t.Errorf("%+v, %v", got, err)
	}
	bad := map[string]Identity{
		"no cluster": {Role: Control, ID: nodeOne, Name: "n"}, "an unknown role": {Cluster: clusterA, Role: "king", ID: nodeOne, Name: "n"},
		"no id": {Cluster: clusterA, Role: Agent, Name: "n"}, "no name": {Cluster: clusterA, Role: Agent, ID: nodeOne},
		"a strange name": {Cluster: clusterA, Role: Agent, ID: nodeOne, Name: "a/b"}, "capitals": {Cluster: clusterA, Role: Agent, ID: "ABCDEF00-0000-4000-8000-000000000001", Name: "n"},
	}
	for name, i := range bad {
		_, err := IdentityOf(Unsigned(i))
		kindIs(t, name, err, errs.Unauthorized)
	}
	names := &x509.Certificate{Subject: pkix.Name{CommonName: "n"}, URIs: []*url.URL{good.URI()}}
	_, err := IdentityOf(names)
	kindIs(t, "parsed fields without an extension", err, errs.Unauthorized)
	authority := Unsigned(good)
	authority.IsCA = true
	_, err = IdentityOf(authority)
	kindIs(t, "an authority", err, errs.Unauthorized)
}
