// Package joinapi is the front door of nodes that join: they show a join token
// and a request for a certificate, and become members.
//
// Invariant: nobody is let in but who knows the secret of a token that is good
// at the moment of the entry in the log; what a node gets is what the token says,
// never what it asks for; and all that is wrong with a token sounds the same.
//
// It is served by the protocol pki.Join alone. It must not know any OpenStack
// API, nor how TLS is spoken.
package joinapi
