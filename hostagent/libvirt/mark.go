package libvirt

import (
	"encoding/xml"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
)

// The namespaces of the two elements that a domain of ours carries in its
// metadata, and the prefix that both are written with.
const (
	markSpace  = "urn:kvorum:guest:1"
	bootSpace  = "urn:kvorum:boot:1"
	markPrefix = "kvorum"
)

// mark is the element that makes a domain ours. Name, project and flavor are
// there for people who look at the domain with virsh.
type mark struct {
	XMLName xml.Name `xml:"kvorum:guest"`
	Space   string   `xml:"xmlns:kvorum,attr"`
	ID      string   `xml:"id,attr"`
	Num     uint64   `xml:"num,attr"`
	Permit  uint64   `xml:"permit,attr"`
	Name    string   `xml:"kvorum:name"`
	Project string   `xml:"kvorum:project"`
	Flavor  string   `xml:"kvorum:flavor"`
}

// readMark is mark as libvirt gives it back, with or without the prefix: the
// decoder then matches by local name.
type readMark struct {
	ID      string `xml:"id,attr"`
	Num     uint64 `xml:"num,attr"`
	Permit  uint64 `xml:"permit,attr"`
	Name    string `xml:"name"`
	Project string `xml:"project"`
	Flavor  string `xml:"flavor"`
}

// encodeMark writes the element for spec's guest.
func encodeMark(spec hostagent.Spec) (string, error) {
	g := spec.Guest
	b, err := xml.Marshal(mark{
		Space: markSpace, ID: g.ID, Num: g.Num, Permit: g.Permit,
		Name: cleanText(g.Name), Project: cleanText(g.ProjectID), Flavor: cleanText(g.Flavor),
	})
	if err != nil {
		return "", errs.E("libvirt.encodeMark", errs.Internal, "", err)
	}
	return string(b), nil
}

// decodeMark reads the element back.
func decodeMark(s string) (readMark, error) {
	var m readMark
	if err := xml.Unmarshal([]byte(s), &m); err != nil {
		return m, errs.E("libvirt.decodeMark", errs.Internal, "the guest's metadata element does not parse", err)
	}
	return m, nil
}

// bootMark tells one start of a domain from all others: libvirt's domain ids
// begin again when its daemon does. It is written just before a start and
// copied by libvirt into the running domain.
type bootMark struct {
	XMLName xml.Name `xml:"boot"`
	Nonce   string   `xml:"nonce,attr"`
}

func encodeBoot(nonce string) (string, error) {
	b, err := xml.Marshal(bootMark{Nonce: nonce})
	if err != nil {
		return "", errs.E("libvirt.encodeBoot", errs.Internal, "", err)
	}
	return string(b), nil
}

// decodeBoot gives the nonce, or "" for an element that is not ours after all.
func decodeBoot(s string) string {
	var m struct {
		Nonce string `xml:"nonce,attr"`
	}
	if xml.Unmarshal([]byte(s), &m) != nil {
		return ""
	}
	return m.Nonce
}
