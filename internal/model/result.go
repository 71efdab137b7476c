package model

// Result is what a command answered, remembered by the request's id so that a
// repeated request gets the first answer. It never holds a secret. Written at
// every command that carries an id; removed by expire.
type Result struct {
	ID string `json:"id,omitzero"`
	// Kind and the digest of the body name what was asked: the same id for
	// something else is a mistake of the caller.
	Kind     string `json:"kind,omitzero"`
	DigestHi uint64 `json:"digest_hi,omitzero"`
	DigestLo uint64 `json:"digest_lo,omitzero"`
	// Index is the log index of the first try; At its time.
	Index uint64 `json:"index,omitzero"`
	At    int64  `json:"at,omitzero"`
	// Until is when it may be forgotten.
	Until int64 `json:"until,omitzero"`
	// IDs are the ids of what was made; ErrKind and ErrMsg the refusal, if it
	// was refused.
	IDs     []string `json:"ids,omitempty"`
	ErrKind uint8    `json:"err_kind,omitzero"`
	ErrMsg  string   `json:"err_msg,omitzero"`
}
