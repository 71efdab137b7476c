package metadata

import (
	"path"
	"slices"
	"strings"
)

// The content types of answers.
const (
	textPlain = "text/plain"
	textJSON  = "application/json"
)

// Lookup answers one path of either tree. It returns the body, its content type, and whether the path exists (if not,
// the answer is 404). Repeated, leading and trailing slashes and dot segments don't matter. A path whose first
// element is neither "openstack" nor "ec2" belongs to the EC2 tree. Source: legacy spec 2.1 to 2.4.
func Lookup(rec Record, urlPath string) (body []byte, contentType string, ok bool) {
	tokens := split(urlPath)
	switch {
	case len(tokens) == 0:
		return versionList(ec2Versions), textPlain, true
	case tokens[0] == "openstack":
		return lookupOpenStack(rec, tokens[1:])
	case tokens[0] == "ec2":
		return lookupEC2(rec, tokens[1:])
	default:
		return lookupEC2(rec, tokens)
	}
}

// split normalises a path and cuts it at its slashes. The root has no elements.
func split(urlPath string) []string {
	clean := path.Clean("/" + urlPath)
	if clean == "/" {
		return nil
	}
	return strings.Split(clean[1:], "/")
}

// isRoot tells whether the path is the one that everybody may read, known guest or not.
func isRoot(urlPath string) bool { return len(split(urlPath)) == 0 }

func versionList(versions []string) []byte {
	return []byte(strings.Join(versions, "\n"))
}

func lookupOpenStack(rec Record, tokens []string) ([]byte, string, bool) {
	if len(tokens) == 0 {
		return versionList(openstackVersions), textPlain, true
	}
	version := tokens[0]
	if len(tokens) > 2 || !slices.Contains(openstackVersions, version) {
		return nil, "", false
	}
	if len(tokens) == 1 {
		var names []string
		for _, f := range openstackFiles {
			if f.present(rec, version) {
				names = append(names, f.name)
			}
		}
		return []byte(strings.Join(names, "\n")), textPlain, true
	}
	for _, f := range openstackFiles {
		if f.name == tokens[1] && f.present(rec, version) {
			return f.body(rec, version), f.contentType, true
		}
	}
	return nil, "", false
}

func lookupEC2(rec Record, tokens []string) ([]byte, string, bool) {
	if len(tokens) == 0 {
		return versionList(ec2Versions), textPlain, true
	}
	if !slices.Contains(ec2Versions, tokens[0]) {
		return nil, "", false
	}
	n := ec2Tree(rec, tokens[0])
	for _, name := range tokens[1:] {
		child, ok := n.dir[name]
		if !ok {
			return nil, "", false
		}
		n = child
	}
	return n.text(), textPlain, true
}
