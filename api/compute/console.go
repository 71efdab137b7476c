package compute

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// maxConsole bounds what is shown of a console's log, in bytes.
const maxConsole = 1 << 20

// consoleLines is how many lines may be asked for; -1 is all.
const consoleLines = 1 << 31

var (
	consoleRule = nullable(record(has("length", nullable(integer(-1, consoleLines)))))
	// unshown are control characters that do not belong into JSON.
	unshown = regexp.MustCompile(`[\x00-\x08\x0b-\x1f]`)
)

// console gives the end of a server's console log, in lines.
func (d *Door) console(c *rest.Call, s *model.Server, arg any) (rest.Answer, error) {
	if err := consoleRule("os-getConsoleOutput", arg, c.Version); err != nil {
		return rest.Answer{}, err
	}
	lines := int64(-1)
	if m, _ := arg.(map[string]any); m["length"] != nil {
		lines, _ = wholeNumber(m["length"])
	}
	h := c.View.Host(s.HostID)
	if h == nil || s.VMState == model.Building {
		return rest.Answer{}, errs.Errorf("compute.console", errs.Conflict, "Instance %s is not ready", s.ID)
	}
	b, err := d.Consoles.Output(c.Context(), h, s, maxConsole)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"output": lastLines(unshown.ReplaceAllString(string(b), ""), lines)}), nil
}

// lastLines is the end of a text, with n-1 line breaks in it; all of it for a
// negative n. What follows the last line break counts as a line, empty or not.
func lastLines(text string, n int64) string {
	if n < 0 {
		return text
	}
	if n == 0 {
		return ""
	}
	end := len(text)
	for ; n > 0; n-- {
		i := strings.LastIndexByte(text[:end], '\n')
		if i < 0 {
			return text
		}
		end = i
	}
	return text[end+1:]
}
