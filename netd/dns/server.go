package dns

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/miekg/dns"
)

const (
	// atOnce bounds the questions of one network that wait for an answer from
	// outside; more are refused at once, so a flood harms only its sender.
	atOnce = 64
	// upstreamTimeout bounds the wait for one resolver, upstreamTries how many
	// of them are asked: together below the five seconds that clients wait.
	upstreamTimeout = 2 * time.Second
	upstreamTries   = 2
	stopTimeout     = 3 * time.Second
)

// HostResolvers gives the resolvers that a resolv.conf names, as "address:53".
// The file is read again each time: the host may move.
func HostResolvers(path string) func() []string {
	return func() []string {
		c, err := dns.ClientConfigFromFile(path)
		if err != nil {
			return nil
		}
		var out []string
		for _, s := range c.Servers {
			out = append(out, net.JoinHostPort(s, c.Port))
		}
		return out
	}
}

// Server answers one network's guests.
type Server struct {
	zone      func() Zone
	upstreams func() []string
	log       *slog.Logger
	slots     chan struct{}
}

// New makes a server. Both functions are called for each question and must
// be quick and safe for many goroutines. Questions to the outside are sent
// from the namespace of the process.
func New(zone func() Zone, upstreams func() []string, log *slog.Logger) *Server {
	return &Server{zone: zone, upstreams: upstreams, log: log, slots: make(chan struct{}, atOnce)}
}

// ServeDNS answers one question.
func (s *Server) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	_, tcp := w.RemoteAddr().(*net.TCPAddr)
	a, ok := s.zone().Answer(q)
	if !ok {
		a = s.forward(q, tcp)
	}
	if !tcp {
		size := dns.MinMsgSize
		if e := q.IsEdns0(); e != nil {
			size = int(e.UDPSize())
		}
		a.Truncate(size)
	}
	if err := w.WriteMsg(a); err != nil {
		s.log.Debug("answer not sent", "to", w.RemoteAddr(), "err", err)
	}
}

// forward asks the resolvers in turn; who asked by TCP is asked for by TCP.
func (s *Server) forward(q *dns.Msg, tcp bool) *dns.Msg {
	failed := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
	failed.RecursionAvailable = true
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return failed
	}
	client := &dns.Client{Timeout: upstreamTimeout}
	if tcp {
		client.Net = "tcp"
	}
	ups := s.upstreams()
	for _, up := range ups[:min(len(ups), upstreamTries)] {
		// An id of our own: the guest's says nothing to the outside.
		ask := q.Copy()
		ask.Id = dns.Id()
		a, _, err := client.Exchange(ask, up)
		if err != nil || a == nil {
			s.log.Debug("resolver does not answer", "resolver", up, "err", err)
			continue
		}
		a.Id = q.Id
		return a
	}
	return failed
}

// Serve answers on both sockets until ctx ends or one of them fails; it
// closes both.
func (s *Server) Serve(ctx context.Context, udp net.PacketConn, tcp net.Listener) error {
	servers := []*dns.Server{{PacketConn: udp, Handler: s}, {Listener: tcp, Handler: s, MaxTCPQueries: 32}}
	ended, started := make(chan error, len(servers)), make(chan struct{}, len(servers))
	for _, srv := range servers {
		srv.NotifyStartedFunc = func() { started <- struct{}{} }
		go func() { ended <- srv.ActivateAndServe() }()
	}
	running, err := len(servers), error(nil)
	for range servers {
		// Stopping a server that has not started yet would do nothing.
		select {
		case <-started:
		case err = <-ended:
			running--
		}
	}
	if running == len(servers) {
		select {
		case <-ctx.Done():
		case err = <-ended:
			running--
		}
	}
	udp.Close()
	tcp.Close()
	for _, srv := range servers {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		// An error says that it had ended already, or that a question is still
		// open: its own timeouts end it.
		_ = srv.ShutdownContext(stop)
		cancel()
	}
	for range running {
		<-ended
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
