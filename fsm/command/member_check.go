package command

import (
	"crypto/sha256"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

const (
	// maxAddress bounds an internal address or a public URL, in characters.
	maxAddress = 255
	// maxVersion bounds the name of a program's version.
	maxVersion = 64
	// maxAuthority bounds the authority's certificate, in bytes.
	maxAuthority = 4096
)

// onlyOperator refuses everybody but who runs the cloud: the operator at a
// control node, and administrators.
func onlyOperator(op string, by By) error {
	if by.System == Operator {
		return nil
	}
	return onlyAdmin(op, by)
}

// checkNode tells what is wrong with who a control node says that it is.
func checkNode(name, address, publicURL, version string) error {
	if err := model.CheckNodeName(name); err != nil {
		return err
	}
	if err := checkAddress(address); err != nil {
		return err
	}
	if err := model.CheckText("the public URL", publicURL, maxAddress); err != nil {
		return err
	}
	if publicURL != "" && !strings.HasPrefix(publicURL, "http://") && !strings.HasPrefix(publicURL, "https://") {
		return fmt.Errorf("the public URL begins with http:// or https://; %q does not", publicURL)
	}
	return model.CheckText("the version", version, maxVersion)
}

// checkAddress tells what is wrong with an internal address.
func checkAddress(s string) error {
	if err := model.CheckText("the address", s, maxAddress); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(s)
	n, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || perr != nil || host == "" || n == 0 {
		return fmt.Errorf("%q is not an address, host:port", s)
	}
	return nil
}

// checkCertificate tells what is wrong with a new certificate's record.
func checkCertificate(c *model.Certificate, at int64) error {
	switch {
	case !model.IsHexID(c.Serial):
		return fmt.Errorf("a serial number has 32 hex digits; %q has not", c.Serial)
	case !model.IsSHA256(c.KeyHash):
		return fmt.Errorf("a key's hash has 64 hex digits; %q has not", c.KeyHash)
	case c.NotBefore >= c.NotAfter || c.NotAfter <= at:
		return fmt.Errorf("the certificate is good from %d to %d, which is never or over", c.NotBefore, c.NotAfter)
	}
	return nil
}

// checkSecretHash tells what is wrong with a secret's hash.
func checkSecretHash(b []byte) error {
	if len(b) != sha256.Size {
		return fmt.Errorf("the secret's hash has %d bytes, not %d", sha256.Size, len(b))
	}
	return nil
}

// newCertificate refuses a serial number or a key that stands already: a key
// belongs to one node and is certified once by joining.
func newCertificate(tx *state.Tx, op string, c *model.Certificate) error {
	if tx.Certificate(c.Serial) != nil || tx.CertificateForKey(c.KeyHash) != nil {
		return refuse(op, errs.Conflict, "The key has a certificate already: make a new key.")
	}
	return nil
}

// revokeCertificates takes back all certificates that a node has.
func revokeCertificates(tx *state.Tx, id model.NodeID) {
	for _, old := range collect(tx.CertificatesOf(id)) {
		if old.RevokedAt == 0 {
			c := old.Clone()
			c.RevokedAt = tx.At
			tx.PutCertificate(c)
		}
	}
}

// within tells whether there are bytes, and at most max.
func within(b []byte, max int) bool { return len(b) > 0 && len(b) <= max }
