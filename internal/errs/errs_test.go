package errs

import (
	"errors"
	"fmt"
	"testing"
)

func TestEveryKindHasFacts(t *testing.T) {
	seen := map[string]bool{}
	for k := Internal; k <= Unknown; k++ {
		if k.String() == "" || seen[k.String()] {
			t.Errorf("kind %d: name %q is empty or used twice", k, k.String())
		}
		seen[k.String()] = true
		if back, ok := KindNamed(k.String()); !ok || back != k {
			t.Errorf("%v is found as %v, %t", k, back, ok)
		}
		if k.HTTPStatus() < 400 {
			t.Errorf("%v: status %d", k, k.HTTPStatus())
		}
	}
	if k, ok := KindNamed("tea"); ok || k != Internal {
		t.Errorf("an unknown name gives %v, %t", k, ok)
	}
	if got := Kind(200).HTTPStatus(); got != 500 {
		t.Errorf("a kind from the future: status %d, want 500", got)
	}
}

func TestKindSurvivesWrapping(t *testing.T) {
	inner := Errorf("fsm.apply", Quota, "Quota exceeded for %s", "cores")
	wrapped := E("api.create", Internal, "", fmt.Errorf("while creating: %w", inner))
	if !Is(wrapped, Quota) {
		t.Errorf("kind = %v, want quota", KindOf(wrapped))
	}
	if got := Message(wrapped); got != "Quota exceeded for cores" {
		t.Errorf("message = %q", got)
	}
}

func TestMessageNeverLeaks(t *testing.T) {
	err := E("store.put", Internal, "", errors.New("/var/lib/secret: permission denied"))
	if got := Message(err); got != "An unknown error has occurred. Please try your request again." {
		t.Errorf("message = %q", got)
	}
}
