package pki

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
	"pgregory.net/rapid"
)

func aToken(t testing.TB, addresses ...string) Token {
	t.Helper()
	tok, err := NewToken(clusterA, Fingerprint{1, 2, 3}, addresses)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestTokenGoesThroughItsText(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var addresses []string
		for i := range rapid.IntRange(1, MaxTokenAddresses).Draw(r, "addresses") {
			addresses = append(addresses, fmt.Sprintf("%s%d:%d", rapid.SampledFrom([]string{"10.0.0.", "[2001:db8::1]", "control-"}).Draw(r, "host"), i,
				rapid.IntRange(1, 65535).Draw(r, "port")))
		}
		for i, a := range addresses {
			if strings.HasPrefix(a, "[") {
				addresses[i] = "[2001:db8::1]:8770"
			}
		}
		want, err := NewToken(clusterA, Fingerprint{9}, addresses)
		if err != nil {
			r.Fatal(err)
		}
		text, err := want.Text()
		if err != nil {
			r.Fatal(err)
		}
		got, err := ParseToken(" \n" + text + "\r\n")
		if err != nil || got.ID != want.ID || got.Secret != want.Secret || got.Authority != want.Authority || got.Cluster != want.Cluster ||
			fmt.Sprint(got.Addresses) != fmt.Sprint(want.Addresses) {
			r.Fatalf("%+v, %v", got, err)
		}
	})
}

// TestTokenFitsOnOneLine: it can be pasted into a shell, and selected with a
// double click.
func TestTokenFitsOnOneLine(t *testing.T) {
	text, err := aToken(t, "10.123.123.101:8770", "10.123.123.102:8770", "10.123.123.103:8770", "10.123.123.104:8770", "10.123.123.105:8770").Text()
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 300 || strings.ContainsAny(text, " \t\r\n'\"\\$") {
		t.Errorf("%d characters: %s", len(text), text)
	}
}

func TestTokensAreNotGuessed(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		tok := aToken(t, "h:1")
		if seen[tok.ID] || seen[string(tok.Secret[:])] {
			t.Fatal("twice the same")
		}
		seen[tok.ID], seen[string(tok.Secret[:])] = true, true
	}
}

func TestTokenDoesNotShowItsSecret(t *testing.T) {
	tok := aToken(t, "h:1")
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(form, tok); s != "join token "+tok.ID {
			t.Errorf("%s shows %s", form, s)
		}
	}
}

func TestDamagedTokens(t *testing.T) {
	text, err := aToken(t, "10.0.0.1:8770").Text()
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"nothing": "", "another thing": "swmtkn-1-abc", "the prefix alone": tokenPrefix, "cut": text[:len(text)-5],
		"longer": text + "AAAA", "a space inside": text[:40] + " " + text[40:], "huge": tokenPrefix + strings.Repeat("A", maxToken),
		"another form": "kvorum2." + text[len(tokenPrefix):],
	} {
		_, err := ParseToken(s)
		kindIs(t, name, err, errs.Invalid)
		if err != nil && (errs.Message(err) == "" || strings.Contains(errs.Message(err), text[len(tokenPrefix):])) {
			t.Errorf("%s: the message is %q", name, errs.Message(err))
		}
	}
	for i := range text {
		swapped := []byte(text)
		swapped[i] = 'A'
		if text[i] == 'A' {
			swapped[i] = 'B'
		}
		if _, err := ParseToken(string(swapped)); err == nil {
			t.Errorf("a wrong character at %d went unnoticed", i)
		}
	}
}

func TestTokenAddresses(t *testing.T) {
	for _, bad := range [][]string{nil, {"h:1", "h:2", "h:3", "h:4", "h:5", "h:6"}, {"h"}, {":8770"}, {"h:0"}, {"h:65536"}, {"h:x"},
		{"h\n:1"}, {"h :1"}, {strings.Repeat("h", 255) + ":1"}} {
		_, err := NewToken(clusterA, Fingerprint{}, bad)
		kindIs(t, fmt.Sprintf("%q", bad), err, errs.Invalid)
	}
}

func FuzzParseToken(f *testing.F) {
	text, _ := aToken(f, "10.0.0.1:8770").Text()
	f.Add(text)
	f.Add(tokenPrefix)
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := ParseToken(s)
		if err != nil {
			return
		}
		again, err := tok.Text()
		if err != nil || again != strings.TrimSpace(s) {
			t.Errorf("%q reads as %v, which is written %q, %v", s, tok, again, err)
		}
	})
}
