package sim

import (
	"context"
	"time"

	"github.com/kvorum/kvorum/hostagent"
)

// renew makes the calls for the host's lease that are due, and comes again when
// the next are.
func (h *host) renew() {
	now := h.clock.Mono()
	for _, ask := range h.agent.Lease().Due(now) {
		h.ask(ask)
	}
	h.in(max(h.agent.Lease().Next(now)-now, 10*time.Millisecond), h.renew)
}

// ask makes one call. Most are over at once; a slow one comes to the voter, and
// its answer to the host, in a while.
func (h *host) ask(ask hostagent.Ask) {
	c := h.w.net
	if !h.w.fault("slow", c.permille(h.w.opts.Slow)) {
		h.call(ask, 0)
		return
	}
	there, back := c.span(0, ask.Timeout), c.span(0, ask.Timeout)
	life := h.lives
	// The message is under way: it arrives also if its sender stands still.
	h.w.in(there, func() {
		if h.agent != nil && h.lives == life {
			h.call(ask, back)
		}
	})
}

// call brings the question to the voter now, and the answer to the host after a
// while. One that comes when the host has given up is not heard; but a host that
// stood still may find both at once, and take the answer.
func (h *host) call(ask hostagent.Ask, back time.Duration) {
	answer, err := h.client.Renew(context.Background(), ask.Address, ask.Request)
	answer, err = h.w.credulous(ask, answer, err)
	take := func() {
		now := h.clock.Mono()
		if late := now-ask.Sent > ask.Timeout; err != nil || late && h.w.net.IntN(2) == 0 {
			h.agent.Lease().Failed(ask)
			return
		}
		h.agent.Lease().Answered(ask, answer, now)
		h.w.leases.renewed(h)
	}
	if back == 0 {
		take()
		return
	}
	if !h.frozen && h.w.fault("freeze", h.w.opts.Freeze > 0 && h.w.flt.permille(30)) {
		h.freezeFor(h.w.flt.span(time.Second, 45*time.Second)) // with an answer under way
	}
	h.in(back, take)
}
