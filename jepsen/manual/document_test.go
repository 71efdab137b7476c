package manual

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

const sample = "# A\n\n    a# not here\n\n## B\n\n| machine | address | packages |\n| --- | --- | --- |\n| `a` | 192.0.2.1 | `vim`, or `g++-12`|\n| `b-1` | 192.0.2.2 | |\n\n" +
	"Words:\n\n    a# first --x  1 # and more\n    b-1# second TOKEN\n    a,b-1# third\n\n## C\n\n    neither here\n"

func TestRead(t *testing.T) {
	got, err := Read(sample, "## B")
	want := &Document{
		Machines: []Machine{{"a", netip.MustParseAddr("192.0.2.1"), []string{"vim", "g++-12"}}, {"b-1", netip.MustParseAddr("192.0.2.2"), nil}},
		Lines:    []Line{{14, "a", "first --x  1 # and more"}, {15, "b-1", "second TOKEN"}, {16, "a", "third"}, {16, "b-1", "third"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v\nwant %+v", got, err, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for what, edit := range map[string][2]string{
		"a section that is not there":        {"## B", "## Other"},
		"code without a prompt":              {"    b-1# second", "    second"},
		"a machine that is in no table":      {"    b-1# second", "    b-2# second"},
		"an address that is none":            {"192.0.2.2", "192.0.2.256"},
		"a section that has no commands":     {"    a# first", "a# first"},
		"a section that tells of no machine": {"| `a` |", "| a |"},
	} {
		text := strings.ReplaceAll(sample, edit[0], edit[1])
		if what == "a section that has no commands" {
			text = strings.NewReplacer("    b-1#", "b-1#", "    a,b-1#", "a,b-1#").Replace(text)
		}
		if d, err := Read(text, "## B"); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: read %+v, %v; want invalid", what, d, err)
		}
	}
}
