package cluster

// Outcome is what a client knows of its operation. They are Jepsen's three.
type Outcome string

// The outcomes.
const (
	// OK: it was done, and Values and Index say what was answered.
	OK Outcome = "ok"
	// Fail: it was not done and never will be.
	Fail Outcome = "fail"
	// Info: nobody can tell.
	Info Outcome = "info"
)

// Action is what an operation does to its key.
type Action string

// The actions.
const (
	// Write gives a register the value Values[0]; Read reads it; Scan reads many
	// at once, each value being key=value.
	Write Action = "write"
	Read  Action = "read"
	Scan  Action = "scan"
	// Add puts Key into a set, Remove takes it out, and List reads the whole
	// set into Values.
	Add    Action = "add"
	Remove Action = "remove"
	List   Action = "list"
	// Issue makes a token, Use shows it to a node, and Revoke ends it.
	Issue  Action = "issue"
	Use    Action = "use"
	Revoke Action = "revoke"
)

// Op is one operation of a history.
type Op struct {
	// Number counts the operations of a history in the order of their calls.
	Number int    `json:"n"`
	Client int    `json:"client"`
	Node   string `json:"node"`
	Action Action `json:"do"`
	Key    string `json:"key"`
	// Values are what was written, read or listed.
	Values []string `json:"values,omitempty"`
	// Call and Return are readings of the harness's clock, in nanoseconds since
	// the run began.
	Call    int64   `json:"call"`
	Return  int64   `json:"return"`
	Outcome Outcome `json:"outcome"`
	// Index is the answer's X-Index; 0 if there was none.
	Index uint64 `json:"index,omitempty"`
	// Request is the answer's request id.
	Request string `json:"request,omitempty"`
	// Status is the answer's HTTP status, Error what else is known of a failure.
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
}

// mutates tells whether the action is an entry of the log.
func (a Action) mutates() bool { return a == Write || a == Add || a == Remove || a == Revoke }
