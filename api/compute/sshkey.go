package compute

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxKey bounds a public key or certificate, in bytes.
const maxKey = 16 << 10

func badKey() error {
	return invalid("Keypair data is invalid: failed to generate fingerprint")
}

// sshPrint is the MD5 of a public key's blob, as clients show it. The key is
// one line of type, blob and comment: options are for a guest's own files.
func sshPrint(public string) (string, error) {
	key, _, options, more, err := ssh.ParseAuthorizedKey([]byte(public))
	if err != nil || len(options) > 0 || len(more) > 0 || !strings.HasPrefix(public, key.Type()+" ") {
		return "", badKey()
	}
	sum := md5.Sum(key.Marshal())
	return colons(sum[:]), nil
}

// certificatePrint is the SHA-1 of a certificate in PEM.
func certificatePrint(text string) (string, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return "", badKey()
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return "", badKey()
	}
	sum := sha1.Sum(block.Bytes)
	return colons(sum[:]), nil
}

func colons(sum []byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(parts, ":")
}

// newKey makes an RSA key of 2048 bits with the private half in PKCS #1 PEM,
// which every client that takes generated keys can read.
func newKey() (public, private string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", errs.E("compute.key", errs.Internal, "", err)
	}
	pub, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", errs.E("compute.key", errs.Internal, "", err)
	}
	private = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub))) + " Generated-by-Kvorum", private, nil
}
