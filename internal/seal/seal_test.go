package seal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

func TestSealAndOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.key")
	box, err := Create(file)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := box.Seal("user_data", []byte("#!/bin/sh"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := again.Open("user_data", sealed)
	if err != nil || string(plain) != "#!/bin/sh" {
		t.Fatalf("opened %q, %v", plain, err)
	}
	if bytes.Contains(sealed, []byte("bin")) {
		t.Error("the secret shows")
	}
	if _, err := again.Open("token_key", sealed); err == nil {
		t.Error("opened for another use")
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := again.Open("user_data", bad); err == nil {
			t.Errorf("a flipped bit in byte %d went unnoticed", i)
		}
	}
	if _, err := again.Open("user_data", sealed[:5]); err == nil {
		t.Error("a cut one was opened")
	}
}

func TestKeyFileIsPrivateAndMadeOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.key")
	if _, err := Create(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(file); !errs.Is(err, errs.Conflict) {
		t.Errorf("second create: %v, want a conflict", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); !errs.Is(err, errs.Invalid) {
		t.Errorf("a readable key: %v, want it refused", err)
	}
}
