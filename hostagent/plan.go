package hostagent

import (
	"time"

	"github.com/kvorum/kvorum/internal/assign"
)

// StepKind names a step.
type StepKind string

// The steps. All are idempotent.
const (
	None        StepKind = ""
	Prepare     StepKind = "prepare"      // fetch the images
	PlugNetwork StepKind = "plug-network" // the host's network must be ready for its ports
	Define      StepKind = "define"       // make disks and domain
	Start       StepKind = "start"        // boot it
	Shutdown    StepKind = "shutdown"     // ask it to stop
	Kill        StepKind = "kill"         // pull its plug
	Remove      StepKind = "remove"       // delete domain and disks
	Report      StepKind = "report"       // tell the control plane what is seen
	Forget      StepKind = "forget"       // drop the record of a guest that is no more
)

// Step is one thing to do about one guest.
type Step struct {
	Kind StepKind
	// Before must be on disk before the step is done; After is the record once
	// it has succeeded.
	Before, After Record
	// Observed is what a Report says.
	Observed assign.Observed
	// Wake is when to look again if there is nothing to do now; zero means
	// that time alone changes nothing.
	Wake time.Time
}

// Observation is all that the host sees of one guest.
type Observation struct {
	Have
	// Prepared says that all images are in the cache; Plugged that the host's
	// network is ready for all its ports.
	Prepared, Plugged bool
}

// up tells whether the guest executes, or could go on at any moment.
func (o Observation) up() bool {
	return o.State == assign.Running || o.State == assign.Paused
}
