package command

import (
	"bytes"
	"encoding/json"
	"fmt"

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
	head, err := json.Marshal(e)
	if err != nil {
		return nil, errs.E("command.encode", errs.Internal, "", err)
	}
	body, err := json.Marshal(e.Command)
	if err != nil {
		return nil, errs.E("command.encode", errs.Internal, "", err)
	}
	if n := len(head) + 1 + len(body); n > MaxBytes {
		return nil, errs.Errorf("command.encode", errs.TooLarge, "the request needs %d bytes in the log; the limit is %d", n, MaxBytes)
	}
	return append(append(head, '\n'), body...), nil
}

// Decode is Encode's inverse. Unknown kinds and unknown fields are errors: a
// node that cannot read an entry must stop, never skip it.
func Decode(b []byte) (Envelope, error) {
	var e Envelope
	head, body, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return e, fmt.Errorf("command: no line break after the envelope")
	}
	if err := strict(head, &e); err != nil {
		return e, fmt.Errorf("command: envelope: %w", err)
	}
	row, known := registry[e.Kind]
	if !known {
		return e, fmt.Errorf("command: kind %q is not known", e.Kind)
	}
	e.Command = row.make()
	if err := strict(body, e.Command); err != nil {
		return e, fmt.Errorf("command: %s: %w", e.Kind, err)
	}
	return e, nil
}

func strict(b []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
