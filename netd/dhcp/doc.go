// Package dhcp answers guests' DHCPv4 questions (RFC 2131) from what is known
// of them already. There is no pool and no state: the answer is a function of
// the question and the lookup.
//
// Invariant: a client whose MAC the lookup does not know gets no answer, and
// nobody is ever offered an address that the lookup did not give.
//
// It must not know networks, namespaces or where leases come from.
package dhcp
