// Package metadata turns what a host knows about one guest into the two trees that a guest reads from
// http://169.254.169.254: the EC2 tree (/latest/meta-data/...) and the OpenStack tree (/openstack/latest/...), and into
// the files of a config drive.
//
// Invariant: an answer depends on the Record and the path, and on nothing else. Two calls with equal arguments give
// equal bytes, so a host can answer while the control plane is away, and any node can show a user what the guest saw.
//
// It must not know where a Record comes from, what time it is, or how a guest is recognised. In particular it never
// reads an identity from a request header: Handler hides the headers from the caller's lookup.
//
//	rec := metadata.Record{UUID: id, Hostname: "web", Num: 7}
//	body, contentType, ok := metadata.Lookup(rec, "/latest/meta-data/instance-id") // "i-00000007"
package metadata
