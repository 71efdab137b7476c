package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// keyBytes is the length of the data key: AES-256.
const keyBytes = 32

// version is the first byte of everything sealed.
const version = 1

// Box seals and opens with one data key. It is safe for concurrent use.
type Box struct{ aead cipher.AEAD }

// New makes a box from a data key of 32 bytes.
func New(key []byte) (*Box, error) {
	if len(key) != keyBytes {
		return nil, errs.Errorf("seal.new", errs.Invalid, "the data key must have %d bytes, not %d", keyBytes, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errs.E("seal.new", errs.Internal, "", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, errs.E("seal.new", errs.Internal, "", err)
	}
	return &Box{aead}, nil
}

// Load reads the data key, in hex, from a file that nobody but its owner may
// read. Every control node of a cluster needs the same one.
func Load(file string) (*Box, error) {
	key, err := Key(file)
	if err != nil {
		return nil, err
	}
	return New(key)
}

// Key reads the data key from a file as Load does. It is for handing it to a
// control node that joins, and for nothing else.
func Key(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, errs.E("seal.load", errs.NotFound, "the data key cannot be read", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, errs.Errorf("seal.load", errs.Invalid, "%s may be read by others: chmod 600 it", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, errs.E("seal.load", errs.Internal, "the data key cannot be read", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, errs.Errorf("seal.load", errs.Invalid, "%s does not hold a key in hex", file)
	}
	return key, nil
}

// Create makes a new data key in a file that must not be there yet, and loads
// it.
func Create(file string) (*Box, error) {
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, errs.E("seal.create", errs.Internal, "", err)
	}
	if err := WriteSecret(file, hex.EncodeToString(key)+"\n"); err != nil {
		return nil, err
	}
	return New(key)
}

// WriteSecret writes a new file of mode 0600 and makes sure that it is on
// disk. errs.Conflict if the file is there.
func WriteSecret(file, content string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errs.Errorf("seal.write", errs.Conflict, "%s is there already", file)
	}
	if err != nil {
		return errs.E("seal.write", errs.Internal, "a secret file cannot be written", err)
	}
	_, err = f.WriteString(content)
	err = errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(file)))
	if err != nil {
		return errs.E("seal.write", errs.Internal, "a secret file cannot be written", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Seal hides plain. what is bound to it: only the same word opens it again.
func (b *Box) Seal(what string, plain []byte) ([]byte, error) {
	nonce := make([]byte, b.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, errs.E("seal.seal", errs.Internal, "", err)
	}
	out := append([]byte{version}, nonce...)
	return b.aead.Seal(out, nonce, plain, []byte(what)), nil
}

// Open gives back what Seal hid. errs.Internal when it was sealed under
// another key or for another use, or was changed.
func (b *Box) Open(what string, sealed []byte) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < 1+n || sealed[0] != version {
		return nil, errs.Errorf("seal.open", errs.Internal, "")
	}
	plain, err := b.aead.Open(nil, sealed[1:1+n], sealed[1+n:], []byte(what))
	if err != nil {
		return nil, errs.E("seal.open", errs.Internal, "", fmt.Errorf("%s: wrong key or damaged", what))
	}
	return plain, nil
}
