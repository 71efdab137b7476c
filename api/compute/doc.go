// Package compute is the front door of the Compute API v2.1, up to microversion
// 2.93 (sources: the Compute API reference, and the history of its
// microversions).
//
// Invariant: it is the only package that knows this API's JSON. Each field is
// sent and taken at exactly the microversions that have it, and what is asked
// for and not offered is refused, never ignored: config drives, injected
// files, security groups, volumes, hints, device tags, extra specs that mean
// something, ephemeral disks and swap. The one exception is adminPass: it is taken, as the API leaves it to the cloud whether a guest
// ever sees it, and never stored nor answered.
//
// Why 2.93: of the routes that are here every change of a field up to 2.93 is
// kept. What the API has and this cloud has not is answered by 501 where the
// resource is here (actions, and unoffered.go), by the truth where a list is
// empty (aggregates, migrations, volumes), and else by 404; whatever the
// microversion. So it is with the older forms: what 2.36 and 2.44 took away
// was never here. User data is sealed before it enters the log, and shown to
// administrators only.
//
// How it reads: door.go is the table of all routes; a resource has a file of
// its own; schema.go holds the rules that bodies are checked by; decide
// functions turn what was asked and a View into a command, and are pure.
//
// It must not know how a command is carried out.
package compute
