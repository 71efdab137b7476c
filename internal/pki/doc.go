// Package pki is the cluster's own certificate authority and what its members
// know each other by.
//
// Invariant: who a peer is stands in one place of its certificate, the URI
//
//	kvorum://<cluster's UUID>/<role>/<node's UUID>
//
// signed by the cluster's authority for exactly that; host names, addresses and
// anything else in a certificate are never believed. A private key never
// leaves the node that made it, and what a node asks for never decides what it
// gets: the authority takes a public key from a request, and nothing else.
//
// The parts: Identity (who), Authority (signs), Credentials (a node's key and
// certificate), Endpoint (makes TLS settings of them, by protocol), Token (what
// a person carries to a new node). It must not know the state, the log or HTTP.
//
//	end := pki.Endpoint{Credentials: creds, Clock: clock.Real{}}
//	server := end.Server(pki.Raft, pki.Peer, pki.Agents, pki.Join)
//	client := end.Client(pki.Raft, pki.Expect(pki.Control, peerID))
package pki
