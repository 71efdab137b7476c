package config

import (
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// unknown refuses a key that is no setting, and names the nearest one.
func unknown(where, key string, known []string) error {
	slices.Sort(known)
	best, far := "", len(key)
	for _, k := range known {
		if d := distance(key, k); d < far {
			best, far = k, d
		}
	}
	if best == "" || far > 2+len(key)/3 {
		return errs.Errorf("config.key", errs.Invalid, "%s: there is no setting %q", where, key)
	}
	return errs.Errorf("config.key", errs.Invalid, "%s: there is no setting %q; did you mean %q?", where, key, best)
}

// UnknownFlag refuses a flag that is neither a setting's nor one of more, and
// names the nearest one: errs.Invalid.
func UnknownFlag(name string, more ...string) error {
	c := Default()
	return unknown("flags", name, append(c.keys(), more...))
}

// keys are those of all settings.
func (c *Config) keys() (out []string) {
	for _, s := range c.Settings() {
		out = append(out, s.Key)
	}
	return out
}

// tables are those of the file: what stands before the last dot of a key.
func (c *Config) tables() (out []string) {
	for _, k := range c.keys() {
		if i := strings.LastIndexByte(k, '.'); i > 0 {
			out = append(out, k[:i])
		}
	}
	return slices.Compact(out)
}

// distance is Levenshtein's: how many letters must be changed, added or
// removed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
