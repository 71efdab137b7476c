package sim

import (
	"context"
	"io"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
)

var _ rest.Cluster = (*node)(nil)

// follows tells whether a majority would confirm to this node who leads.
func (n *node) follows() bool {
	return n.w.log.leader != nil && !n.isolated && (n.leading == nil || n.w.log.leader == n)
}

// Read implements rest.Cluster: it waits until the node has applied what was
// committed when it was asked, and gives up on that now and then.
func (n *node) Read(context.Context) (state.View, error) {
	if !n.follows() {
		return state.View{}, unavailable("sim.read", "There is no leader.")
	}
	point := len(n.w.log.entries)
	if point > n.next && n.w.fault("behind", n.w.net.permille(n.w.opts.Loss)) {
		return state.View{}, unavailable("sim.read", "This node is behind.")
	}
	n.catchUp(point)
	return n.machine.View(), nil
}

// Propose implements rest.Cluster.
func (n *node) Propose(_ context.Context, e command.Envelope) (rest.Done, error) {
	r, err := n.propose(e)
	if err != nil {
		return rest.Done{}, err
	}
	return rest.Done{Index: r.Index, IDs: r.IDs, View: n.machine.View()}, nil
}

// propose puts a command in the log. A node that does not lead forwards it, and
// it may be lost on the way; one that only believes that it leads finds no
// majority. What was done is applied here when it returns.
func (n *node) propose(env command.Envelope) (fsm.Result, error) {
	data, err := command.Encode(env)
	if err != nil {
		return fsm.Result{}, err
	}
	l := n.w.log
	switch {
	case n.leading != nil && l.leader != n:
		n.w.counts.fault("deposed")
		return fsm.Result{}, errUnknown
	case l.leader == nil || n.isolated:
		return fsm.Result{}, unavailable("sim.propose", "There is no leader.")
	case l.leader != n && n.w.fault("forward", n.w.net.permille(n.w.opts.Loss)):
		return fsm.Result{}, errUnknown
	}
	r, err := l.propose(data)
	if errs.Is(err, errs.Unknown) {
		return r, err
	}
	if l.leader != n && n.w.fault("behind", n.w.net.permille(n.w.opts.Loss)) {
		return fsm.Result{}, errUnknown
	}
	n.catchUp(int(r.Index))
	return r, err
}

// noImages has no bytes: simulated hosts have their images as they need them.
type noImages struct{}

// Open implements agentapi.Images.
func (noImages) Open(string) (io.ReadCloser, int64, error) {
	return nil, 0, errs.Errorf("sim.images", errs.NotFound, "There are no bytes here.")
}

// noSecrets leaves what is sealed as it is.
type noSecrets struct{}

// Open implements agentapi.Opener.
func (noSecrets) Open(_ string, sealed []byte) ([]byte, error) { return sealed, nil }
