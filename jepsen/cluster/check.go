package cluster

import (
	"fmt"
	"path/filepath"
)

// Evidence is what a checker may look at.
type Evidence struct {
	Ops    []Op
	Events []Event
	// Log is the committed log as it lies on the nodes' disks.
	Log []LogEntry
	// Until is when clients were told to stop; what they do after it is a last
	// look.
	Until int64
	// Dir is where a checker may put a file that explains what it found.
	Dir string
}

// file is a file for an explanation.
func (v Evidence) file(name string) string { return filepath.Join(v.Dir, name) }

// Finding is one thing that must not be.
type Finding struct {
	Checker string `json:"checker"`
	Text    string `json:"text"`
	// Undecided: the checker could not tell, so the run shows nothing.
	Undecided bool `json:"undecided,omitempty"`
	// Ops are the numbers of the operations that show it.
	Ops []int `json:"ops,omitempty"`
	// File is a page in the run's folder that explains it, if there is one.
	File string `json:"file,omitempty"`
}

// Checker judges the evidence. It gives at most some findings: the first ones
// say enough.
type Checker interface {
	Name() string
	Check(v Evidence) []Finding
}

// maxFindings bounds what one checker tells.
const maxFindings = 20

// findings collects them.
type findings struct {
	checker string
	list    []Finding
}

func (f *findings) add(ops []int, format string, args ...any) {
	f.put(Finding{Text: fmt.Sprintf(format, args...), Ops: ops})
}

func (f *findings) put(one Finding) {
	if len(f.list) < maxFindings {
		one.Checker = f.checker
		f.list = append(f.list, one)
	}
}
