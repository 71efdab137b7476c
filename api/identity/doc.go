// Package identity is the front door of the Identity API v3: tokens, the
// catalog, and the domains, projects, users and roles behind them.
//
// Invariant: a token says only who was proved and what for; what its owner may
// do is looked up in the state at each use. So a role that is taken away, a
// disabled user or a changed password end it at once, on every node.
//
// Tokens are Fernet (the Fernet specification, version 0x80) under keys that
// lie sealed in the replicated state; issuing one writes nothing to the log.
//
// It must not know servers, images or networks. It is the only package that
// knows Identity's JSON.
package identity
