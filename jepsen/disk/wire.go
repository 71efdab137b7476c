package disk

import (
	"context"
	"encoding/json"
	"io"
	"net"

	"github.com/kvorum/kvorum/internal/errs"
)

// Request is what the harness asks of a disk: one line of JSON on a connection
// of its own.
type Request struct {
	Do    string `json:"do"`
	Fault *Fault `json:"fault,omitempty"`
	Loss  *Loss  `json:"loss,omitempty"`
	Flip  *Flip  `json:"flip,omitempty"`
	ID    int    `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	From  uint64 `json:"from,omitempty"`
	Max   int    `json:"max,omitempty"`
}

// What a request can be.
const (
	DoStatus = "status"
	DoAdd    = "add"
	DoLift   = "lift"
	DoCut    = "cut"
	DoLose   = "lose"
	DoSave   = "save"
	DoPut    = "put"
	DoFlip   = "flip"
	DoTrace  = "trace"
	DoClose  = "close"
)

// MaxRequest and MaxReply bound the two, in bytes.
const (
	MaxRequest = 64 << 10
	MaxReply   = 64 << 20
)

// Reply is the disk's answer. An Error with its Kind excludes nothing: a loss
// may have succeeded and have something to say.
type Reply struct {
	Error  string  `json:"error,omitempty"`
	Kind   string  `json:"kind,omitempty"`
	ID     int     `json:"id,omitempty"`
	Effect *Effect `json:"effect,omitempty"`
	Lost   *Lost   `json:"lost,omitempty"`
	Status *Status `json:"status,omitempty"`
	Event  *Event  `json:"event,omitempty"`
	Trace  *Trace  `json:"trace,omitempty"`
}

// Status is what a disk is at the moment.
type Status struct {
	PID     int     `json:"pid"`
	Options Options `json:"options"`
	// Cut is whether the power is off: nothing is written, nothing answered.
	Cut bool `json:"cut"`
	// Losses counts the power losses since the disk's start.
	Losses int `json:"losses"`
	// Reads, Writes, Syncs and Names count operations that were done.
	Reads  int64 `json:"reads"`
	Writes int64 `json:"writes"`
	Syncs  int64 `json:"syncs"`
	Names  int64 `json:"names"`
	// Dirty is what a power loss would take now, and Undo the bytes kept for it.
	Dirty Lost  `json:"dirty"`
	Undo  int64 `json:"undo"`
	// Effects are those of the faults that stand, by id.
	Effects []Effect `json:"effects"`
}

// ask does one request. ctx bounds it whole.
func (d *Disk) ask(ctx context.Context, r Request) (Reply, error) {
	const op = "disk.ask"
	var reply Reply
	conn, err := new(net.Dialer).DialContext(ctx, "unix", d.socket)
	if err != nil {
		return reply, errs.E(op, errs.Unavailable, "the disk behind "+d.socket+" does not answer", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return reply, errs.E(op, errs.Unknown, "", err)
	}
	if err := json.NewDecoder(io.LimitReader(conn, MaxReply)).Decode(&reply); err != nil {
		return reply, errs.E(op, errs.Unknown, "the disk went away over "+r.Do, err)
	}
	if reply.Error != "" {
		kind, _ := errs.KindNamed(reply.Kind)
		return reply, errs.Errorf(op, kind, "%s", reply.Error)
	}
	return reply, nil
}
