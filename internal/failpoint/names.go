package failpoint

// Name is a place. All names begin alike, so that a test can look for them in
// a binary.
type Name string

// The places of a control node.
const (
	// LogAppendBefore and LogAppendAfter are around the write of entries to the
	// log, with its fsync.
	LogAppendBefore Name = "failpoint:log.append.before"
	LogAppendAfter  Name = "failpoint:log.append.after"
	// VoteBefore and VoteAfter are around the write of a vote.
	VoteBefore Name = "failpoint:vote.before"
	VoteAfter  Name = "failpoint:vote.after"
	// ApplyBefore is before committed entries are applied. There is no place
	// inside: the state is in memory, so a death there is one before.
	ApplyBefore Name = "failpoint:apply.before"
	// ApplyAfter is when entries are applied and nobody has been told. An error
	// there makes the outcome unknown to whoever proposed.
	ApplyAfter Name = "failpoint:apply.after"
	// SnapshotMiddle is when a snapshot's first bytes are written;
	// SnapshotRename when all are, and it is not yet in its place.
	SnapshotMiddle Name = "failpoint:snapshot.middle"
	SnapshotRename Name = "failpoint:snapshot.rename.before"
	// RestoreMiddle is when a snapshot's state has replaced the old one, and the
	// node does not count from it yet.
	RestoreMiddle Name = "failpoint:restore.middle"
	// LeadGained and LeadLost are when the node learns that it leads, or leads
	// no more.
	LeadGained Name = "failpoint:lead.gained"
	LeadLost   Name = "failpoint:lead.lost"
	// ForwardBefore and ForwardAfter are around a command's way to the leader:
	// what is dropped before was never sent, after is an answer that is lost.
	ForwardBefore Name = "failpoint:forward.before"
	ForwardAfter  Name = "failpoint:forward.after"
	// ReplyBefore is when a command has its outcome and the leader has not told
	// the node that brought it.
	ReplyBefore Name = "failpoint:reply.before"
	// WatchFlush is before a host is told what changed for it.
	WatchFlush Name = "failpoint:watch.flush.before"
)

// The places of a host agent. After each step that succeeded, and before the
// ledger knows, there is one more: see HitAfter.
const (
	// DiskAfter is when a guest's disks are made, and its domain is not.
	DiskAfter Name = "failpoint:agent.disk.after"
	// ReportAfter is when a report is delivered, and the agent does not know.
	ReportAfter Name = "failpoint:agent.report.after"
)
