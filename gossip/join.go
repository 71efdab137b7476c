package gossip

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Bounds on what one Join tries.
const (
	maxJoin = 64 // addresses
	maxIPs  = 8  // of one name
)

// Join exchanges lists with the nodes at the addresses ("host:port"), and
// tells how many answered. One is enough to find all. It gives Unavailable if
// none did, or ctx ended first, and Invalid for what is no address.
func (p *Pool) Join(ctx context.Context, addrs []string) (int, error) {
	if len(addrs) == 0 || len(addrs) > maxJoin {
		return 0, errs.Errorf("gossip.join", errs.Invalid, "1 to %d addresses can be joined at once, not %d", maxJoin, len(addrs))
	}
	answered := 0
	var last error
	for _, a := range addrs {
		found, err := resolve(ctx, a)
		if errs.Is(err, errs.Invalid) {
			return answered, err
		}
		for _, to := range found {
			if err = p.joinOne(ctx, to); err == nil {
				answered++
			}
		}
		if err != nil {
			last = err
		}
	}
	if answered == 0 {
		return 0, errs.E("gossip.join", errs.Unavailable, "Nobody answered.", last)
	}
	return answered, nil
}

// joinOne joins through one address. The library knows no contexts: if ctx
// ends first, what it does goes on for as long as Timing.Stream lets it, and
// nothing else is joined meanwhile.
func (p *Pool) joinOne(ctx context.Context, to netip.AddrPort) error {
	select {
	case p.joining <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if ctx.Err() != nil {
		<-p.joining
		return ctx.Err()
	}
	if !p.mayJoin() {
		<-p.joining
		return errs.Errorf("gossip.join", errs.Unavailable, "the pool is closed")
	}
	done := make(chan error, 1)
	go func() {
		defer p.joins.Done()
		_, err := p.serf.Join([]string{to.String()}, true)
		if err != nil && strings.Contains(err.Error(), noKey) {
			p.alarms.otherKey(to)
		}
		<-p.joining
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mayJoin counts a join that is to begin, unless the pool is closed.
func (p *Pool) mayJoin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.joins.Add(1)
	}
	return !p.closed
}

// resolve turns an address into numbers. What is a number already asks nobody.
func resolve(ctx context.Context, addr string) ([]netip.AddrPort, error) {
	if a, err := netip.ParseAddrPort(addr); err == nil {
		return []netip.AddrPort{a}, nil
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return nil, errs.E("gossip.join", errs.Invalid, "an address is host:port", err)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, errs.E("gossip.join", errs.Invalid, "an address ends with a port", err)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, errs.E("gossip.join", errs.Unavailable, "the name of a node is not known", err)
	}
	var all []netip.AddrPort
	for _, ip := range ips[:min(len(ips), maxIPs)] {
		all = append(all, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	}
	return all, nil
}

// seek keeps the node joined: after a start, and after islands have formed.
func (p *Pool) seek() {
	defer p.loops.Done()
	if p.cfg.Seeds == nil {
		return
	}
	for p.life.Err() == nil {
		p.seekOnce()
		// Not all at once, when all of them were started at once.
		pause := p.cfg.Timing.Seek/2 + rand.N(p.cfg.Timing.Seek)
		_ = clock.Sleep(p.life, p.cfg.Clock, pause) // the loop's condition tells
	}
}

// known gives the addresses that need no seeking, and how many members are
// alive. In company Serf tries the failed ones again by itself.
func (p *Pool) known() (addrs map[netip.AddrPort]bool, alive int) {
	all := p.Members()
	for _, m := range all {
		if m.Status == Alive {
			alive++
		}
	}
	addrs = map[netip.AddrPort]bool{}
	for _, m := range all {
		if m.Status == Alive || m.Status == Failed && alive > 1 {
			addrs[m.Address] = true
		}
	}
	return addrs, alive
}

// seekOnce tries the seeds until one answers, if this node is alone. In
// company it tries one that is no member, and so rarely that all members
// together try about one each time: a seed that comes back must not be met by
// thousands with the whole list in hand.
func (p *Pool) seekOnce() {
	known, alive := p.known()
	if alive > 1 && rand.IntN(alive) != 0 {
		return
	}
	var strange []netip.AddrPort
	seeds := p.cfg.Seeds()
	for _, s := range seeds[:min(len(seeds), maxJoin)] {
		found, err := resolve(p.life, s)
		if err != nil {
			p.cfg.Log.Warn("a seed can't be looked for", "seed", s, "error", err)
		}
		for _, a := range found {
			if !known[a] {
				strange = append(strange, a)
			}
		}
	}
	rand.Shuffle(len(strange), func(i, j int) { strange[i], strange[j] = strange[j], strange[i] })
	for _, a := range strange {
		err := p.joinOne(p.life, a)
		if err == nil || alive > 1 || p.life.Err() != nil {
			return
		}
		p.cfg.Log.Debug("a seed does not answer", "seed", a, "error", err)
	}
}
