package command

import (
	"fmt"
	"regexp"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// FlavorCreate makes a flavor (Compute API, "Create Flavor"). Units are those
// of model.Flavor.
//
// Rules: the actor is an administrator; id and name are well-formed and both
// new; there is at least one CPU and 1 MiB; no number is negative or above
// MaxFlavorNumber; ephemeral disk and swap, which guests do not get yet, are
// none; extra specs are well-formed.
type FlavorCreate struct {
	ID          model.FlavorID    `json:"id"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	VCPUs       int               `json:"vcpus"`
	RAM         int               `json:"ram"`
	Disk        int               `json:"disk"`
	Ephemeral   int               `json:"ephemeral,omitempty"`
	Swap        int               `json:"swap,omitempty"`
	Private     bool              `json:"private,omitempty"`
	ExtraSpecs  map[string]string `json:"extra_specs,omitempty"`
}

// Kind implements Command.
func (*FlavorCreate) Kind() string { return "flavor.create/1" }

// MaxFlavorNumber is the greatest number that a flavor may have anywhere.
const MaxFlavorNumber = 1<<31 - 1

// maxExtraSpecs bounds how many extra specs a flavor has.
const maxExtraSpecs = 128

var (
	flavorIDForm  = regexp.MustCompile(`^[a-zA-Z0-9._-]([a-zA-Z0-9. _-]{0,253}[a-zA-Z0-9._-])?$`)
	extraSpecForm = regexp.MustCompile(`^[a-zA-Z0-9_:. -]{1,255}$`)
)

// Apply implements Command.
func (c *FlavorCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "flavor.create"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if tx.FlavorNamed(c.Name) != nil {
		return nil, refuse(op, errs.Conflict, "Flavor with name %s already exists.", c.Name)
	}
	if tx.Flavor(c.ID) != nil {
		return nil, refuse(op, errs.Conflict, "Flavor with ID %s already exists.", c.ID)
	}
	tx.PutFlavor(&model.Flavor{ID: c.ID, Num: tx.Next(lastFlavor), Name: c.Name, Description: c.Description,
		VCPUs: c.VCPUs, RAM: c.RAM, Disk: c.Disk, Ephemeral: c.Ephemeral, Swap: c.Swap, Private: c.Private,
		ExtraSpecs: c.ExtraSpecs, CreatedAt: m.At})
	return []string{string(c.ID)}, nil
}

func (c *FlavorCreate) check() error {
	const op = "flavor.create"
	if !flavorIDForm.MatchString(string(c.ID)) {
		return refuse(op, errs.Invalid, "'%s' is no flavor id: it has 1 to 255 letters, digits, dots, dashes, underscores and inner blanks", c.ID)
	}
	if err := invalid(op, model.CheckName("name", c.Name)); err != nil {
		return err
	}
	if err := invalid(op, model.CheckText("description", c.Description, maxDescription)); err != nil {
		return err
	}
	if c.VCPUs < 1 || c.RAM < 1 {
		return refuse(op, errs.Invalid, "a flavor has at least one CPU and 1 MiB")
	}
	for _, n := range []int{c.VCPUs, c.RAM, c.Disk, c.Ephemeral, c.Swap} {
		if n < 0 || n > MaxFlavorNumber {
			return refuse(op, errs.Invalid, "%d is not from 0 to %d", n, MaxFlavorNumber)
		}
	}
	if c.Ephemeral > 0 || c.Swap > 0 {
		return refuse(op, errs.Invalid, "Ephemeral disks and swap are not offered by this cloud: guests would not get them.")
	}
	return checkSpecs(op, c.ExtraSpecs)
}

func exampleFlavorCreate() *FlavorCreate {
	return &FlavorCreate{ID: "3", Name: "m1.medium", VCPUs: 2, RAM: 4096, Disk: 40, Private: true,
		ExtraSpecs: map[string]string{"hw:cpu_policy": "shared"}}
}

func workFlavorCreate(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	return &FlavorCreate{ID: model.FlavorID(g.UUID()), Name: fmt.Sprintf("f-%d", g.Intn(20)),
		VCPUs: 1 + g.Intn(3), RAM: 256 << g.Intn(4), Disk: g.Intn(10), Private: g.Intn(4) == 0}, by, ok
}
