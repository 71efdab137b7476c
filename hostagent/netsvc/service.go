package netsvc

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/kvorum/kvorum/netd/dhcp"
	"github.com/kvorum/kvorum/netd/dns"
)

// Service is what must listen for one network on one link. Its functions and
// handler may differ from one Reconcile to the next: the sockets stay.
type Service struct {
	// Network is the network's id.
	Network string
	// Space and Link are the namespace and the link in it.
	Space, Link string
	// Leases answers for DHCP; nil: DHCP is not answered.
	Leases dhcp.Lookup
	// Zone is what DNS knows; nil: nothing but the host's resolvers.
	Zone *dns.Zone
	// Metadata serves 169.254.169.254:80; it finds who asks by CallerOf. nil:
	// nothing is served.
	Metadata http.Handler
}

// Caller is who asks the metadata service.
type Caller struct {
	// Network is the id of the network that the request came from.
	Network string
	// Addr is the guest's address in it.
	Addr netip.Addr
}

type callerKey struct{}

// WithCaller lets requests of a context come from a caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf gives who made a request that came in by a Service; false in any
// other context.
func CallerOf(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// untrusted are headers by which proxies name a caller. There is no proxy in
// front of us, so a guest wrote them.
var untrusted = []string{
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded",
	"X-Instance-Id", "X-Instance-Id-Signature", "X-Tenant-Id", "X-Metadata-Provider", "X-Metadata-Provider-Signature",
}
