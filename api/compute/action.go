package compute

import (
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// notOffered are the API's actions that this cloud does not offer, with the
// first and the last minor version that has each; 0 is open.
var notOffered = map[string][2]int{
	"pause": {}, "unpause": {}, "suspend": {}, "resume": {}, "rebuild": {}, "resize": {}, "confirmResize": {}, "revertResize": {},
	"createImage": {}, "createBackup": {}, "changePassword": {}, "addSecurityGroup": {}, "removeSecurityGroup": {}, "lock": {}, "unlock": {},
	"rescue": {}, "unrescue": {}, "shelve": {}, "shelveOffload": {}, "unshelve": {}, "forceDelete": {}, "restore": {}, "migrate": {},
	"os-migrateLive": {}, "evacuate": {}, "os-resetState": {}, "injectNetworkInfo": {}, "resetNetwork": {}, "trigger_crash_dump": {17, 0},
	"os-getVNCConsole": {0, 5}, "os-getSPICEConsole": {0, 5}, "os-getRDPConsole": {0, 5}, "os-getSerialConsole": {0, 5},
	"addFloatingIp": {0, 43}, "removeFloatingIp": {0, 43}, "addFixedIp": {0, 43}, "removeFixedIp": {0, 43},
}

// offered are the actions that there are.
var offered = map[string]func(*Door, *rest.Call, *model.Server, any) (rest.Answer, error){
	"os-start": func(_ *Door, c *rest.Call, s *model.Server, _ any) (rest.Answer, error) {
		return accepted(c, &command.ServerPower{ID: s.ID, On: true})
	},
	"os-stop": func(_ *Door, c *rest.Call, s *model.Server, _ any) (rest.Answer, error) {
		return accepted(c, &command.ServerPower{ID: s.ID, On: false})
	},
	"reboot":              reboot,
	"os-getConsoleOutput": (*Door).console,
}

func (d *Door) action(c *rest.Call) (rest.Answer, error) {
	body, err := decode(c)
	if err != nil {
		return rest.Answer{}, err
	}
	in := body.(map[string]any)
	if len(in) != 1 {
		return rest.Answer{}, invalid("Malformed request body: it must have exactly one action")
	}
	for name, arg := range in {
		do, err := findAction(c, name)
		if err != nil {
			return rest.Answer{}, err
		}
		s, err := findServer(c)
		if err != nil {
			return rest.Answer{}, err
		}
		if do == nil {
			return rest.Answer{}, errs.Errorf("compute.action", errs.NotImplemented, "The action '%s' is not offered by this cloud.", name)
		}
		return do(d, c, s, arg)
	}
	return rest.Answer{}, nil
}

// findAction finds what an action does: nil for one of the API's that is not
// offered.
func findAction(c *rest.Call, name string) (func(*Door, *rest.Call, *model.Server, any) (rest.Answer, error), error) {
	if do := offered[name]; do != nil {
		return do, nil
	}
	minors, known := notOffered[name]
	if !known {
		return nil, invalid("There is no such action: %s", shorten(name))
	}
	if !within(c.Version, minors[0], minors[1]) {
		return nil, errs.Errorf("compute.action", errs.NotFound, "The resource could not be found.")
	}
	return nil, nil
}

var rebootRule = record(has("type", oneOf("HARD", "Hard", "hard", "SOFT", "Soft", "soft")).must())

func reboot(_ *Door, c *rest.Call, s *model.Server, arg any) (rest.Answer, error) {
	if err := rebootRule("reboot", arg, c.Version); err != nil {
		return rest.Answer{}, err
	}
	kind := arg.(map[string]any)["type"].(string)
	return accepted(c, &command.ServerReboot{ID: s.ID, Hard: strings.EqualFold(kind, "hard")})
}
