package identity

import (
	"bytes"
	"strings"
	"testing"
)

func TestFernet(t *testing.T) {
	key := bytes.Repeat([]byte{7}, FernetKeyBytes)
	text, err := fernetSeal(key, []byte("hello"), 1700000000)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{text, text + "=", text + "=="} {
		payload, at, err := fernetOpen(key, form)
		if err != nil || string(payload) != "hello" || at != 1700000000 {
			t.Errorf("%q: %q %d %v", form, payload, at, err)
		}
	}
	for i := range text {
		bad := []byte(text)
		bad[i] ^= 1
		if payload, _, err := fernetOpen(key, string(bad)); err == nil {
			t.Errorf("character %d changed, and it opened as %q", i, payload)
		}
	}
	other := bytes.Repeat([]byte{8}, FernetKeyBytes)
	if _, _, err := fernetOpen(other, text); err == nil {
		t.Error("opened with another key")
	}
	for _, junk := range []string{"", "a", text[:len(text)-3], strings.Repeat("A", 5000), "gAAAA\x00"} {
		if _, _, err := fernetOpen(key, junk); err == nil {
			t.Errorf("%.20q opened", junk)
		}
	}
}

// The specification's own example: made with the published key, time and
// vector.
func TestFernetReadsOthers(t *testing.T) {
	key := []byte("\x73\x0f\xf4\xc7\xaf\x3d\x46\x92\x3e\x8e\xd4\x51\xee\x81\x3c\x87\xf7\x90\xb0\xa2\x26\xbc\x96\xa9\x2d\xe4\x9b\x5e\x9c\x05\xe1\xee")
	const token = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
	payload, at, err := fernetOpen(key, token)
	if err != nil || string(payload) != "hello" || at != 499162800 {
		t.Errorf("%q %d %v", payload, at, err)
	}
}

func TestPasswords(t *testing.T) {
	p, err := NewPasswords(2)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := p.Hash("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(hash, "s3cret") || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %q", hash)
	}
	for _, tc := range []struct {
		hash, password string
		want           bool
	}{
		{hash, "s3cret", true}, {hash, "S3cret", false}, {hash, "", false}, {"", "s3cret", false},
		{"", "no user has this password", false}, {"plain", "plain", false}, {hash[:len(hash)-5], "s3cret", false},
	} {
		if got := p.Check(tc.hash, tc.password); got != tc.want {
			t.Errorf("Check(%.12q, %q) = %v", tc.hash, tc.password, got)
		}
	}
	if _, err := p.Hash(strings.Repeat("x", maxPassword+1)); err == nil {
		t.Error("a password without bound was hashed")
	}
}
