package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// credentialsFile holds everything, so that a crash leaves either the old
	// or the new of it.
	credentialsFile = "identity.pem"
	// pendingFile holds the key of a node that has not joined yet.
	pendingFile = "joining.pem"
	tempPrefix  = ".identity-"

	typeKey         = "PRIVATE KEY"
	typeCertificate = "CERTIFICATE"

	// maxFile bounds what is read, in bytes; ours have some 2,000.
	maxFile = 64 << 10
)

// Save writes the credentials to a folder, which must be there, as one file of
// mode 0600: the old ones are replaced whole or not at all, and are on the disk
// when it returns. A pending key is removed.
func (c *Credentials) Save(dir string) error {
	m := c.now.Load()
	key, err := encodeKey(m.key)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Write(key)
	for _, cert := range []*x509.Certificate{m.cert, m.ca} {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: typeCertificate, Bytes: cert.Raw}))
	}
	if err := replace(filepath.Join(dir, credentialsFile), b.Bytes()); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, pendingFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.E("pki.save", errs.Internal, "the pending key cannot be removed", err)
	}
	return nil
}

// Load reads what Save wrote. errs.NotFound: there is nothing; errs.Invalid: it
// is damaged, or others may read it.
func Load(dir string) (*Credentials, error) {
	b, err := read(filepath.Join(dir, credentialsFile))
	if err != nil {
		return nil, err
	}
	key, rest, err := decodeKey(b)
	if err != nil {
		return nil, err
	}
	var certs [][]byte
	for block, rest := pem.Decode(rest); block != nil && block.Type == typeCertificate; block, rest = pem.Decode(rest) {
		certs = append(certs, block.Bytes)
	}
	if len(certs) != 2 {
		return nil, errs.Errorf("pki.load", errs.Invalid, "%s holds %d certificates where two are due", filepath.Join(dir, credentialsFile), len(certs))
	}
	return NewCredentials(key, certs[0], certs[1])
}

// PendingKey gives the key that a node in this folder joins with, and makes it
// at the first call. It stays until Save: a node that stops while it joins asks
// for the same certificate again when it starts.
func PendingKey(dir string) (crypto.Signer, error) {
	file := filepath.Join(dir, pendingFile)
	b, err := read(file)
	if err == nil {
		key, _, err := decodeKey(b)
		return key, err
	}
	if !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	if b, err = encodeKey(key); err != nil {
		return nil, err
	}
	return key, replace(file, b)
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, errs.E("pki.encodeKey", errs.Internal, "the key has no encoding", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: typeKey, Bytes: der}), nil
}

// decodeKey reads a key from the beginning of a file, and gives the rest.
func decodeKey(b []byte) (crypto.Signer, []byte, error) {
	const op = "pki.decodeKey"
	block, rest := pem.Decode(b)
	if block == nil || block.Type != typeKey {
		return nil, nil, errs.Errorf(op, errs.Invalid, "the file does not begin with a private key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, errs.E(op, errs.Invalid, "the private key is damaged", err)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, nil, errs.Errorf(op, errs.Invalid, "the private key cannot sign")
	}
	return key, rest, checkKey(key.Public())
}

func read(file string) ([]byte, error) {
	const op = "pki.read"
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.E(op, errs.NotFound, file+" is not there", err)
	}
	if err != nil {
		return nil, errs.E(op, errs.Internal, "the credentials cannot be read", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, errs.E(op, errs.Internal, "the credentials cannot be read", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, errs.Errorf(op, errs.Invalid, "%s may be read by others: chmod 600 it", file)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, errs.E(op, errs.Internal, "the credentials cannot be read", err)
	}
	if len(b) > maxFile {
		return nil, errs.Errorf(op, errs.Invalid, "%s has over %d bytes", file, maxFile)
	}
	return b, nil
}

// replace puts content in a file of mode 0600, whole or not at all.
func replace(file string, content []byte) error {
	const op = "pki.replace"
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, tempPrefix+"*") // its mode is 0600
	if err != nil {
		return errs.E(op, errs.Internal, "the credentials cannot be written", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it holds a key, and nobody's
		return errs.E(op, errs.Internal, "the credentials cannot be written", err)
	}
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return errs.E(op, errs.Internal, "the credentials cannot be written", err)
	}
	return nil
}
