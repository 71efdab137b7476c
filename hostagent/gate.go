package hostagent

import "context"

// gates bound how many guests are in a heavy step at once.
type gates struct{ fetch, act chan struct{} }

func newGates(fetch, act int) gates {
	return gates{fetch: make(chan struct{}, fetch), act: make(chan struct{}, act)}
}

// of is the gate that a step goes through, nil if none.
func (g gates) of(kind StepKind) chan struct{} {
	switch kind {
	case Prepare:
		return g.fetch
	case Define, Start:
		return g.act
	}
	return nil
}

// enter waits for a place behind the gate; leave gives it back.
func enter(ctx context.Context, gate chan struct{}) (leave func(), err error) {
	if gate == nil {
		return func() {}, nil
	}
	select {
	case gate <- struct{}{}:
		return func() { <-gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
