package manual

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// Document is one section of a document, as a reader takes it who does what it
// says.
type Document struct {
	// Machines are those that the section tells of, in its order.
	Machines []Machine
	// Lines are what is typed, in its order.
	Lines []Line
}

// Machine is one machine that a document tells of.
type Machine struct {
	Name    string
	Address netip.Addr
	// Needs are the packages that the document wants on it.
	Needs []string
}

// Line is one command.
type Line struct {
	// Number is the line's in the document, from 1.
	Number int
	// Machine is where it is typed.
	Machine, Command string
}

var (
	machineRow = regexp.MustCompile("^\\| `([a-z0-9-]+)` \\| ([0-9.]+) \\|(.*)\\|$")
	needed     = regexp.MustCompile("`([a-z0-9.+-]+)`")
	prompt     = regexp.MustCompile(`^    ([a-z0-9-]+(?:,[a-z0-9-]+)*)# (\S.*)$`)
)

// Read takes a section, by its heading such as "## Run it", out of a document.
// Invalid if there is none, or if code with a prompt in it is not understood.
func Read(text, heading string) (*Document, error) {
	const op = "manual.read"
	d, inside := &Document{}, false
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "#") {
			inside = line == heading
		}
		if !inside {
			continue
		}
		if m := machineRow.FindStringSubmatch(line); m != nil {
			address, err := netip.ParseAddr(m[2])
			if err != nil {
				return nil, errs.E(op, errs.Invalid, "", err)
			}
			machine := Machine{Name: m[1], Address: address}
			for _, n := range needed.FindAllStringSubmatch(m[3], -1) {
				machine.Needs = append(machine.Needs, n[1])
			}
			d.Machines = append(d.Machines, machine)
		}
		if m := prompt.FindStringSubmatch(line); m != nil {
			for _, machine := range strings.Split(m[1], ",") {
				d.Lines = append(d.Lines, Line{Number: i + 1, Machine: machine, Command: m[2]})
			}
		} else if strings.HasPrefix(line, "    ") {
			return nil, errs.Errorf(op, errs.Invalid, "line %d is code without a prompt: %s", i+1, line)
		}
	}
	return d, d.check(heading)
}

func (d *Document) check(heading string) error {
	const op = "manual.read"
	if len(d.Machines) == 0 || len(d.Lines) == 0 {
		return errs.Errorf(op, errs.Invalid, "the section %q names %d machines and %d commands", heading, len(d.Machines), len(d.Lines))
	}
	for _, l := range d.Lines {
		if !slices.ContainsFunc(d.Machines, func(m Machine) bool { return m.Name == l.Machine }) {
			return errs.Errorf(op, errs.Invalid, "line %d is typed on %s, which no row of a table tells of", l.Number, l.Machine)
		}
	}
	return nil
}
