package command

import (
	"bytes"
	"fmt"

	"github.com/kvorum/kvorum/internal/canon"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// MaxBytes bounds one encoded command. It leaves room for user data (64 KiB,
// sealed) and a few hundred placements.
const MaxBytes = 1 << 20

// By names who asks for a change. Exactly one of UserID and System is set.
type By struct {
	UserID    model.UserID    `json:"user,omitzero"`
	ProjectID model.ProjectID `json:"project,omitzero"`
	// Admin says that policy let the user act on what is not its project's.
	Admin bool `json:"admin,omitzero"`
	// System is "leader" for duties, "bootstrap" for the first start,
	// "host/<id>" for a host's reports, "operator" for whoever runs commands at
	// a control node and "join" for a control node that lets another node in.
	System string `json:"system,omitzero"`
	// UserEpoch and ProjectEpoch are those that the request was authorized
	// under: Apply refuses older ones.
	UserEpoch    uint64 `json:"user_epoch,omitzero"`
	ProjectEpoch uint64 `json:"project_epoch,omitzero"`
	// Term is the leader's own; Apply refuses a duty's command in another one.
	Term uint64 `json:"term,omitzero"`
}

// The System actors.
const (
	Leader    = "leader"
	Bootstrap = "bootstrap"
	Operator  = "operator"
	Join      = "join"
	HostBy    = "host/"
)

// Envelope carries a command through the log.
type Envelope struct {
	Kind string `json:"kind"`
	// ID is the request's; a command that comes again with the same one gets
	// the first answer. Empty only for commands that may run twice.
	ID string `json:"id,omitzero"`
	// Keep is how long the answer is remembered, in seconds; 0 is the default
	// of DefaultKeep.
	Keep int64 `json:"keep,omitzero"`
	By   By    `json:"by"`
	// Command is the decoded body.
	Command Command `json:"-"`
}

// Encode gives the bytes for the log: the envelope as one line of JSON, then
// the command as another. Both stay readable in a dump.
func Encode(e Envelope) ([]byte, error) {
	e.Kind = e.Command.Kind()
	b := canon.Append(make([]byte, 0, usualBytes), &e)
	b = canon.Append(append(b, '\n'), e.Command)
	if len(b) > MaxBytes {
		return nil, errs.Errorf("command.encode", errs.TooLarge, "the request needs %d bytes in the log; the limit is %d", len(b), MaxBytes)
	}
	return b, nil
}

// usualBytes is enough for most commands.
const usualBytes = 1024

// Decode is Encode's inverse. Unknown kinds and unknown fields are errors: a
// node that cannot read an entry must stop, never skip it.
func Decode(b []byte) (Envelope, error) {
	var e Envelope
	head, body, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return e, fmt.Errorf("command: no line break after the envelope")
	}
	if err := canon.Decode(head, &e); err != nil {
		return e, fmt.Errorf("command: envelope: %w", err)
	}
	row, known := registry[e.Kind]
	if !known {
		return e, fmt.Errorf("command: kind %q is not known", e.Kind)
	}
	e.Command = row.make()
	if err := canon.Decode(body, e.Command); err != nil {
		return e, fmt.Errorf("command: %s: %w", e.Kind, err)
	}
	return e, nil
}
