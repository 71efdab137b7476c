package dns

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

var zone = Zone{
	Domain: "novalocal",
	Hosts:  map[string][]netip.Addr{"web": {netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("10.0.1.5")}},
	Names:  map[netip.Addr]string{netip.MustParseAddr("10.0.0.5"): "web"},
	Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")},
}

func show(a *dns.Msg, ok bool) string {
	if !ok {
		return "outside"
	}
	s := dns.RcodeToString[a.Rcode]
	for _, rr := range a.Answer {
		s += " " + strings.Join(strings.Fields(rr.String())[3:], " ")
	}
	return s
}

func TestZone(t *testing.T) {
	for _, row := range []struct {
		name string
		kind uint16
		want string
	}{
		{"web.novalocal.", dns.TypeA, "NOERROR A 10.0.0.5 A 10.0.1.5"},
		{"WEB.NovaLocal.", dns.TypeA, "NOERROR A 10.0.0.5 A 10.0.1.5"},
		{"web.", dns.TypeA, "NOERROR A 10.0.0.5 A 10.0.1.5"},
		{"web.novalocal.", dns.TypeAAAA, "NOERROR"},
		{"nobody.novalocal.", dns.TypeA, "NXDOMAIN"},
		{"nobody.", dns.TypeA, "NXDOMAIN"},
		{"novalocal.", dns.TypeA, "NXDOMAIN"},
		{"a.web.novalocal.", dns.TypeA, "NXDOMAIN"},
		{"5.0.0.10.in-addr.arpa.", dns.TypePTR, "NOERROR PTR web.novalocal."},
		{"6.0.0.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"},
		{"5.0.9.10.in-addr.arpa.", dns.TypePTR, "outside"},
		{"example.org.", dns.TypeA, "outside"},
		{"notnovalocal.", dns.TypeA, "NXDOMAIN"},
		{"x.notnovalocal.", dns.TypeA, "outside"},
		{".", dns.TypeNS, "outside"},
		{"org.", dns.TypeDS, "outside"},
		{"example.org.", dns.TypeAXFR, "REFUSED"},
		{"example.org.", dns.TypeANY, "REFUSED"},
	} {
		if got := show(zone.Answer(new(dns.Msg).SetQuestion(row.name, row.kind))); got != row.want {
			t.Errorf("%s %s: %s, want %s", row.name, dns.TypeToString[row.kind], got, row.want)
		}
	}
	update := new(dns.Msg).SetUpdate("novalocal.")
	if got := show(zone.Answer(update)); got != "NOTIMP" {
		t.Errorf("update: %s", got)
	}
	if got := show(zone.Answer(&dns.Msg{})); got != "FORMERR" {
		t.Errorf("no question: %s", got)
	}
}

// serve runs a handler on loopback and gives its address.
func serve(t *testing.T, h dns.HandlerFunc) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	srv := &dns.Server{PacketConn: pc, Handler: h, NotifyStartedFunc: func() { close(up) }}
	done := make(chan error, 1)
	go func() { done <- srv.ActivateAndServe() }()
	<-up
	t.Cleanup(func() {
		if err := srv.Shutdown(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return pc.LocalAddr().String()
}

func start(t *testing.T, upstreams ...string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := New(func() Zone { return zone }, func() []string { return upstreams }, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, pc, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

func ask(t *testing.T, network, addr, name string) string {
	t.Helper()
	a, _, err := (&dns.Client{Net: network}).Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), addr)
	if err != nil {
		t.Fatalf("%s %s: %v", network, name, err)
	}
	return show(a, true)
}

func TestForwarding(t *testing.T) {
	upstream := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		rr, err := dns.NewRR(q.Question[0].Name + " 60 A 192.0.2.1")
		if err != nil {
			t.Error(err)
		}
		a.Answer = append(a.Answer, rr)
		if err := w.WriteMsg(a); err != nil {
			t.Error(err)
		}
	})
	addr := start(t, upstream)
	if got := ask(t, "udp", addr, "example.org."); got != "NOERROR A 192.0.2.1" {
		t.Errorf("forwarded: %s", got)
	}
	if got := ask(t, "tcp", addr, "web."); got != "NOERROR A 10.0.0.5 A 10.0.1.5" {
		t.Errorf("by TCP: %s", got)
	}
	if got := ask(t, "udp", start(t), "example.org."); got != "SERVFAIL" {
		t.Errorf("without resolvers: %s", got)
	}
}

func TestOneNetworkCanNotTakeAll(t *testing.T) {
	s := New(func() Zone { return zone }, func() []string { t.Error("asked beyond the bound"); return nil }, slog.New(slog.DiscardHandler))
	for range atOnce {
		s.slots <- struct{}{}
	}
	if a := s.forward(new(dns.Msg).SetQuestion("example.org.", dns.TypeA), false); a.Rcode != dns.RcodeServerFailure {
		t.Errorf("beyond the bound: %v", a)
	}
}
