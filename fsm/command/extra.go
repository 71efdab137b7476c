package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/kvorum/kvorum/internal/model"
)

// Bounds on the further attributes of one project or user: how many there are,
// and their names and values together, in bytes.
const (
	maxExtra      = 64
	maxExtraBytes = 1 << 16
)

// extended gives attributes after a change: each that it names is set to its
// JSON text, or taken away by an empty one. What was is not changed.
func extended(was, change map[string]string) map[string]string {
	now := maps.Clone(was)
	for _, name := range slices.Sorted(maps.Keys(change)) {
		if change[name] == "" {
			delete(now, name)
			continue
		}
		if now == nil {
			now = map[string]string{}
		}
		now[name] = change[name]
	}
	if len(now) == 0 {
		return nil
	}
	return now
}

// checkExtra tells what is wrong with further attributes.
func checkExtra(extra map[string]string) error {
	if len(extra) > maxExtra {
		return fmt.Errorf("there are %d further attributes; the limit is %d", len(extra), maxExtra)
	}
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if err := model.CheckName("an attribute's name", name); err != nil {
			return err
		}
		if !json.Valid([]byte(extra[name])) {
			return fmt.Errorf("the attribute %s is not JSON", name)
		}
		sum += len(name) + len(extra[name])
	}
	if sum > maxExtraBytes {
		return fmt.Errorf("the further attributes have %d bytes; the limit is %d", sum, maxExtraBytes)
	}
	return nil
}

// extraAtRandom makes up a change of attributes, for the workloads.
func extraAtRandom(g Gen) map[string]string {
	switch g.Intn(4) {
	case 0:
		return map[string]string{"colour": fmt.Sprintf(`"%d"`, g.Intn(9))}
	case 1:
		return map[string]string{"colour": "", "size": fmt.Sprint(g.Intn(9))}
	}
	return nil
}
