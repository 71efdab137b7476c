package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// tick is how often the duties look even when nothing changed, how often the
// voters are asked, and how long they may take to answer.
const tick = time.Second

// Deps are what Run needs; all fields must be set.
type Deps struct {
	View func() state.View
	Feed *state.Feed
	// Propose puts a command in the log and waits until it is applied here.
	Propose func(ctx context.Context, by command.By, c command.Command) error
	Clock   clock.Clock
	// Term is the one that this node leads in: its commands are void in any
	// other.
	Term uint64
	// Electorate are the control nodes of the newest committed configuration.
	Electorate func() assign.Electorate
	// Poll puts a question to the Register of one voter, which may be this node,
	// and returns when ctx ends.
	Poll func(ctx context.Context, voter assign.Node, q PollRequest) (PollAnswer, error)
	// Lease is how long a host's lease lasts.
	Lease time.Duration
	// Counters count what is done; nil counts nothing.
	Counters *Counters
	Log      *slog.Logger
}

// Run does the duties until ctx ends. It begins when everything of earlier terms
// is applied here. One command is in flight at a time, and one question to the
// voters.
func Run(ctx context.Context, d Deps) error {
	l := &loop{Deps: d, caller: NewCaller(d.Term, d.Lease), in: Inputs{Checkpoint: d.View().Index}}
	for ctx.Err() == nil {
		changed, timer := d.Feed.Wait(), d.Clock.After(tick)
		l.duties(ctx)
		l.ask(ctx)
		select {
		case <-changed:
		case <-timer:
		case answers := <-l.asked:
			l.count(answers)
		case <-ctx.Done():
		}
	}
	if l.asked != nil {
		<-l.asked // Poll returns when ctx has ended
	}
	return nil
}

// loop is the state of Run.
type loop struct {
	Deps
	caller *Caller
	in     Inputs
	// question is the last one, put at askedAt; asked brings the answers, and is
	// nil while none is under way.
	question PollRequest
	askedAt  time.Duration
	asked    chan map[string]PollAnswer
	outage   bool
}

// duties asks each duty once and proposes what it says.
func (l *loop) duties(ctx context.Context) {
	l.in.Ballot = l.caller.Ballot()
	for _, duty := range Duties {
		l.in.View, l.in.Wall = l.View(), l.Clock.Now().UnixNano()
		began := l.Clock.Mono()
		cmds := duty.Do(l.in)
		l.Counters.ran(duty.Name, l.Clock.Mono()-began)
		for _, c := range cmds {
			l.propose(ctx, duty.Name, c)
			if cp, ok := c.(*command.StateCheckpoint); ok {
				l.in.Checkpoint = cp.Index
			}
		}
	}
	o := LookForOutage(l.View(), l.in.Wall)
	if o.Alarm() && !l.outage {
		l.Log.Error("many hosts went down at once: look at what is between them and the control nodes", "down", o.Down, "of", o.Of)
	}
	l.outage = o.Alarm()
}

// ask puts the next question to all voters at once, if it is time.
func (l *loop) ask(ctx context.Context) {
	now := l.Clock.Mono()
	if l.asked != nil || l.question.Seq > 0 && now-l.askedAt < tick || ctx.Err() != nil {
		return
	}
	var voters []assign.Node
	l.question, voters = l.caller.Ask(l.View(), l.Electorate(), now)
	l.askedAt = now
	asked := make(chan map[string]PollAnswer, 1)
	l.asked = asked
	go func(q PollRequest) { asked <- l.round(ctx, voters, q) }(l.question)
}

// count takes the answers to the last question.
func (l *loop) count(answers map[string]PollAnswer) {
	l.asked = nil
	l.caller.Count(l.question, answers)
}

// round asks every voter and waits for their answers, for a tick at most.
func (l *loop) round(ctx context.Context, voters []assign.Node, q PollRequest) map[string]PollAnswer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type vote struct {
		id     string
		answer PollAnswer
		err    error
	}
	votes := make(chan vote, len(voters))
	for _, n := range voters {
		go func() {
			a, err := l.Poll(ctx, n, q)
			votes <- vote{n.ID, a, err}
		}()
	}
	late := l.Clock.After(tick)
	answers := map[string]PollAnswer{}
	for range voters {
		var v vote
		select {
		case v = <-votes:
		case <-late:
			cancel()
			late = nil
			v = <-votes // what came in time is taken, and the others fail now
		}
		if v.err != nil {
			l.Log.Debug("voter not heard", "voter", v.id, "error", v.err)
			continue
		}
		answers[v.id] = v.answer
	}
	return answers
}

// propose asks for one command. A refusal is no trouble: the state moved on,
// and the duty will look again.
func (l *loop) propose(ctx context.Context, duty string, c command.Command) {
	err := l.Propose(ctx, command.By{System: command.Leader, Term: l.Term}, c)
	switch {
	case err == nil:
		l.Counters.done(duty, c, l.View())
		l.Log.Debug("duty done", "duty", duty, "kind", c.Kind())
	case errs.Is(err, errs.Conflict), ctx.Err() != nil:
		l.Counters.duty(duty, func(n *DutyCount) { n.Void++ })
		l.Log.Debug("duty refused", "duty", duty, "kind", c.Kind(), "error", err)
	default:
		l.Counters.duty(duty, func(n *DutyCount) { n.Failed++ })
		l.Log.Warn("duty failed", "duty", duty, "kind", c.Kind(), "error", err)
	}
}
