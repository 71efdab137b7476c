package mutants

// Mutant is one mistake.
type Mutant struct {
	Name string
	// Breaks is the promise that it breaks, in a few words.
	Breaks string
	Edits  []Edit
	// Tests are the harness's that are to catch it, in the order in which they
	// are tried.
	Tests []string
}

// Edit replaces one piece of one source file.
type Edit struct{ File, Old, New string }

// All are the mutants.
var All = []Mutant{
	{
		Name: "read-by-verify-leader", Breaks: "linearizable reads: an answer to an old heartbeat confirms a leader that was deposed",
		Tests: []string{"T4"},
		Edits: []Edit{{"raftnode/read.go", "	if err := n.majorityIn(before.Term); err != nil {\n", "	if err := n.raft.VerifyLeader().Error(); err != nil {\n"}},
	},
	{
		Name: "read-without-asking", Breaks: "linearizable reads: a leader believes itself",
		Tests: []string{"T4", "T3"},
		Edits: []Edit{{"raftnode/read.go", "	if err := n.majorityIn(before.Term); err != nil {\n", "	if err := error(nil); err != nil {\n"}},
	},
	{
		Name: "read-locally", Breaks: "linearizable reads: every node answers from what it has",
		Tests: []string{"T3"},
		Edits: []Edit{{"raftnode/read.go", "	point, err := n.share(ctx, r)\n	if err != nil {\n		return ReadPoint{}, err\n	}\n	return point, n.WaitApplied(ctx, point.Index)\n",
			"	_ = r\n	return ReadPoint{Index: n.AppliedIndex(), Term: n.raft.CurrentTerm()}, ctx.Err()\n"}},
	},
	{
		Name: "read-without-waiting", Breaks: "linearizable reads: a follower does not wait until it has applied the read point",
		Tests: []string{"T3", "T9"},
		Edits: []Edit{{"raftnode/read.go", "	return point, n.WaitApplied(ctx, point.Index)\n", "	return point, nil\n"}},
	},
	{
		Name: "write-without-waiting", Breaks: "sessions: a follower answers a write before it has applied it",
		Tests: []string{"T9", "T3"},
		Edits: []Edit{{"cmd/kvorum/cluster.go", "	if err := c.raft.WaitApplied(ctx, res.Index); err != nil {\n", "	if err := error(nil); err != nil {\n"}},
	},
	{
		Name: "join-a-round-that-was-sent", Breaks: "linearizable reads: a reader shares a question that was asked before it came",
		Tests: []string{"T4", "T3"},
		Edits: []Edit{{"raftnode/rounds.go", "		now := r.next\n		r.next = nil\n		r.sent++\n		r.mu.Unlock()\n		now.point, now.err = r.ask()\n		close(now.done)\n",
			"		now := r.next\n		r.sent++\n		r.mu.Unlock()\n		point, err := r.ask()\n		r.mu.Lock()\n		r.next = nil\n		now.point, now.err = point, err\n		r.mu.Unlock()\n		close(now.done)\n"}},
	},
	{
		Name: "no-record-of-requests", Breaks: "idempotency: a request that is offered again is done again",
		Tests: []string{"T7", "T3"},
		Edits: []Edit{{"fsm/machine.go", "	if r := tx.Result(env.ID); env.ID != \"\" && r != nil {\n", "	if r := tx.Result(env.ID); false && r != nil {\n"}},
	},
	{
		Name: "unknown-is-failed", Breaks: "honest errors: an outcome that nobody knows is told as a failure",
		Tests: []string{"T6", "T1"},
		Edits: []Edit{
			{"cmd/kvorum/cluster.go", "				err = errs.E(\"cluster.insist\", errs.Unknown, \"\", err)\n", "				err = errs.E(\"cluster.insist\", errs.Unavailable, \"\", err)\n"},
			{"cmd/kvorum/cluster.go", "		open = open || kind == errs.Unknown\n", "		open = open || kind == errs.Unknown\n		if kind == errs.Unknown {\n			return errs.E(\"cluster.insist\", errs.Unavailable, \"\", err)\n		}\n"},
		},
	},
	{
		Name: "new-id-for-a-retry", Breaks: "idempotency: each try of a request has an id of its own",
		Tests: []string{"T7", "T3"},
		Edits: []Edit{{"cmd/kvorum/cluster.go", "	err = c.insist(ctx, e.ID != \"\", func() (err error) {\n", "	err = c.insist(ctx, e.ID != \"\", func() (err error) {\n		if e.ID != \"\" {\n			e.ID = uuid.NewString()\n			data, _ = command.Encode(e)\n		}\n"},
			{"cmd/kvorum/cluster.go", "	\"github.com/kvorum/kvorum/api/peerapi\"\n", "	\"github.com/google/uuid\"\n\n	\"github.com/kvorum/kvorum/api/peerapi\"\n"}},
	},
	{
		Name: "time-in-apply", Breaks: "replicas are equal: what is applied asks the node's own clock",
		Tests: []string{"T11", "T3"},
		Edits: []Edit{{"fsm/machine.go", "	meta := command.Meta{Stamp: tx.Stamp, By: env.By, RequestID: env.ID}\n", "	meta := command.Meta{Stamp: tx.Stamp, By: env.By, RequestID: env.ID}\n	meta.At = time.Now().UnixNano()\n"},
			{"fsm/machine.go", "	\"io\"\n", "	\"io\"\n	\"time\"\n"}},
	},
	{
		Name: "snapshot-without-servers", Breaks: "replicas are equal: a snapshot forgets a table",
		Tests: []string{"T23"},
		Edits: []Edit{{"fsm/state/dump.go", "	for _, t := range v.t.list {\n		err := t.dump(", "	for _, t := range v.t.list {\n		if t.label() == \"servers\" {\n			continue\n		}\n		err := t.dump("}},
	},
	{
		Name: "index-from-the-log", Breaks: "the order that is shown: X-Index is not the state's that was read",
		Tests: []string{"T3"},
		Edits: []Edit{{"api/rest/send.go", "		h.Set(\"X-Index\", strconv.FormatUint(c.View.Index, 10))\n", "		h.Set(\"X-Index\", strconv.FormatUint(c.View.Index/3*3, 10))\n"}},
	},
	{
		Name: "lead-without-a-barrier", Breaks: "linearizable reads: a new leader answers before it knows what earlier ones had acknowledged",
		Tests: []string{"T1", "T3"},
		Edits: []Edit{
			{"raftnode/read.go", "	if n.established.Load() == role.Term {\n", "	if role.Term > 0 {\n"},
			{"raftnode/read.go", "	if before.State != Leader || n.established.Load() != before.Term {\n", "	if before.State != Leader {\n"},
		},
	},
	{
		Name: "acknowledge-before-the-sync", Breaks: "what is acknowledged is durable: the log is written and not synced",
		Tests: []string{"T2"},
		Edits: []Edit{{"raftnode/store.go", "BoltOptions: BoltOptions()})\n", "BoltOptions: BoltOptions(), NoSync: true})\n"}},
	},
	{
		Name: "tokens-live-on", Breaks: "tokens: one that was revoked still opens doors",
		Tests: []string{"S8"},
		Edits: []Edit{{"api/identity/token.go", "		if v.Revocation(id) != nil {\n", "		if false && v.Revocation(id) != nil {\n"}},
	},
}
