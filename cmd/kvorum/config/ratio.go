package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/internal/model"
)

// Ratio is how many times something may be promised, in hundredths. It reads
// and writes itself as decimal text with at most two digits behind the point,
// such as "1.5": nothing is rounded.
type Ratio int

var ratioForm = regexp.MustCompile(`^([0-9]{1,3})(?:\.([0-9]{1,2}))?$`)

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Ratio) UnmarshalText(b []byte) error {
	m := ratioForm.FindStringSubmatch(string(b))
	if m == nil {
		return fmt.Errorf("%q is not a ratio such as 4.0", b)
	}
	n, err := strconv.Atoi(m[1] + (m[2] + "00")[:2])
	if err != nil || !model.RatioOK(n) {
		return fmt.Errorf("%s is not from %s to %s", b, Ratio(model.MinRatio), Ratio(model.MaxRatio))
	}
	*r = Ratio(n)
	return nil
}

// String gives the shortest form with a point: "4.0", "1.25".
func (r Ratio) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%d.%02d", r/100, r%100), "0")
}
