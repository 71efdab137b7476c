// Package joining lets a node into a cluster with a join token: the node's side,
// and the form of what both sides say.
//
// Invariant: the node's private key never leaves this process, the token's
// secret is said to nobody but a control node under the authority that the
// token names, and what comes back is used only if it is for this very key,
// node and cluster.
//
// It must not know the state, nor what a node does once it is in.
//
//	key, err := pki.PendingKey(dir)
//	creds, answer, err := joining.Join(ctx, token, joining.Request{Role: pki.Agent, Name: "h1", ID: id, Key: key})
//	err = creds.Save(dir)
package joining
