package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/url"
	"regexp"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Role is what a node is to the cluster.
type Role string

// The roles.
const (
	Control Role = model.NodeControl
	Agent   Role = model.NodeAgent
)

// Identity is who a node is.
type Identity struct {
	// Cluster is the cluster's UUID.
	Cluster string
	Role    Role
	// ID is the node's UUID, fixed at its first start.
	ID string
	// Name is a label for people; nothing is decided by it.
	Name string
}

const scheme = "kvorum"

var (
	uriForm = regexp.MustCompile(`^kvorum://([0-9a-f-]{36})/([a-z]+)/([0-9a-f-]{36})$`)
	oidSAN  = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// Check tells what is wrong with an identity: errs.Invalid.
func (i Identity) Check() error {
	const op = "pki.identity"
	switch {
	case !model.IsUUID(i.Cluster):
		return errs.Errorf(op, errs.Invalid, "a cluster's id is a UUID; %.80q is not", i.Cluster)
	case !model.IsUUID(i.ID):
		return errs.Errorf(op, errs.Invalid, "a node's id is a UUID; %.80q is not", i.ID)
	case i.Role != Control && i.Role != Agent:
		return errs.Errorf(op, errs.Invalid, "a node's role is %s or %s, not %.80q", Control, Agent, i.Role)
	}
	if err := model.CheckNodeName(i.Name); err != nil {
		return errs.E(op, errs.Invalid, err.Error(), nil)
	}
	return nil
}

// URI is the identity as it stands in a certificate; the name is not in it.
func (i Identity) URI() *url.URL {
	return &url.URL{Scheme: scheme, Host: i.Cluster, Path: "/" + string(i.Role) + "/" + i.ID}
}

// String is for logs: role, name and id.
func (i Identity) String() string { return string(i.Role) + " " + i.Name + " (" + i.ID + ")" }

// IdentityOf reads the identity that a certificate gives. It does not verify the
// certificate. errs.Unauthorized: it gives none, or more than one.
func IdentityOf(c *x509.Certificate) (Identity, error) {
	const op = "pki.identityOf"
	uri, err := onlyName(c.Extensions)
	if err != nil {
		return Identity{}, err
	}
	m := uriForm.FindStringSubmatch(uri)
	if m == nil || c.IsCA {
		return Identity{}, errs.Errorf(op, errs.Unauthorized, "the certificate is not a node's: it names %.200q", uri)
	}
	i := Identity{Cluster: m[1], Role: Role(m[2]), ID: m[3], Name: c.Subject.CommonName}
	if err := i.Check(); err != nil {
		return Identity{}, errs.E(op, errs.Unauthorized, "the certificate is not a node's", err)
	}
	return i, nil
}

// onlyName gives the one alternative name among the extensions, a URI. It looks
// at the encoding itself: parsers pass over the kinds of names that they do not
// know.
func onlyName(all []pkix.Extension) (string, error) {
	const op = "pki.names"
	var uris []string
	for _, e := range all {
		if !e.Id.Equal(oidSAN) {
			continue
		}
		var names []asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &names); err != nil || len(rest) > 0 {
			return "", errs.E(op, errs.Unauthorized, "the alternative names are damaged", err)
		}
		for _, n := range names {
			if n.Class != asn1.ClassContextSpecific || n.Tag != tagURI {
				return "", errs.Errorf(op, errs.Unauthorized, "there is an alternative name that is no URI")
			}
			uris = append(uris, string(n.Bytes))
		}
	}
	if len(uris) != 1 {
		return "", errs.Errorf(op, errs.Unauthorized, "there are %d alternative names where one is due", len(uris))
	}
	return uris[0], nil
}

// tagURI is the tag of a URI among alternative names (RFC 5280, 4.2.1.6).
const tagURI = 6

// Unsigned is a certificate that gives the identity and that nobody signed. It
// stands for a peer where there is no wire: in tests and in the simulator.
func Unsigned(i Identity) *x509.Certificate {
	uri := []byte(i.URI().String())
	value, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: tagURI, Bytes: uri}})
	if err != nil {
		value = nil // such a certificate gives no identity
	}
	return &x509.Certificate{Subject: pkix.Name{CommonName: i.Name}, Extensions: []pkix.Extension{{Id: oidSAN, Value: value}}}
}
