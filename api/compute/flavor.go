package compute

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// maxDescription bounds a flavor's description, in characters.
const maxDescription = 65535

func renderFlavor(c *rest.Call, f *model.Flavor) object {
	out := object{"id": f.ID, "name": f.Name, "ram": f.RAM, "disk": f.Disk, "vcpus": f.VCPUs, "swap": swap(c, f.Swap),
		"OS-FLV-EXT-DATA:ephemeral": f.Ephemeral, "OS-FLV-DISABLED:disabled": false, "os-flavor-access:is_public": !f.Private,
		"rxtx_factor": 1.0, "links": links(c, "flavors", string(f.ID))}
	if c.Version.AtLeast(55) {
		out["description"] = orNull(f.Description)
	}
	if c.Version.AtLeast(61) {
		out["extra_specs"] = filled(f.ExtraSpecs)
	}
	return out
}

// swap is a text for none before 2.75.
func swap(c *rest.Call, mib int) any {
	if mib == 0 && !c.Version.AtLeast(75) {
		return ""
	}
	return mib
}

func flavorID(f *model.Flavor) string { return string(f.ID) }

// flavorKeys are what a list of flavors may be sorted by.
var flavorKeys = map[string]func(a, b *model.Flavor) int{
	"flavorid":     func(a, b *model.Flavor) int { return cmp.Compare(a.ID, b.ID) },
	"id":           func(a, b *model.Flavor) int { return cmp.Compare(a.Num, b.Num) },
	"name":         func(a, b *model.Flavor) int { return cmp.Compare(a.Name, b.Name) },
	"description":  func(a, b *model.Flavor) int { return cmp.Compare(a.Description, b.Description) },
	"memory_mb":    func(a, b *model.Flavor) int { return cmp.Compare(a.RAM, b.RAM) },
	"root_gb":      func(a, b *model.Flavor) int { return cmp.Compare(a.Disk, b.Disk) },
	"ephemeral_gb": func(a, b *model.Flavor) int { return cmp.Compare(a.Ephemeral, b.Ephemeral) },
	"swap":         func(a, b *model.Flavor) int { return cmp.Compare(a.Swap, b.Swap) },
	"vcpus":        func(a, b *model.Flavor) int { return cmp.Compare(a.VCPUs, b.VCPUs) },
	"created_at":   func(a, b *model.Flavor) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	"is_public": func(a, b *model.Flavor) int {
		return cmp.Compare(either(b.Private, "n", "y"), either(a.Private, "n", "y"))
	},
	"updated_at": same, "disabled": same, "rxtx_factor": same, "vcpu_weight": same,
}

// same is the order of what is equal for all.
func same(_, _ *model.Flavor) int { return 0 }

// chosenFlavors lists the flavors that the query asks for, in its order.
func chosenFlavors(c *rest.Call) ([]*model.Flavor, error) {
	if err := onlyQuery(c, "limit", "marker", "is_public", "minRam", "minDisk", "sort_key", "sort_dir"); err != nil {
		return nil, err
	}
	ram, err1 := least(c, "minRam")
	disk, err2 := least(c, "minDisk")
	shows, err3 := publicness(c)
	desc, err4 := direction(cmp.Or(c.Query("sort_dir"), "asc"))
	if err := cmp.Or(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	key := cmp.Or(c.Query("sort_key"), "flavorid")
	compare := flavorKeys[key]
	if compare == nil {
		return nil, badQuery("sort_key", key, "It is not a key that flavors can be sorted by")
	}
	var all []*model.Flavor
	for f := range c.View.Flavors() {
		if f.RAM >= ram && f.Disk >= disk && shows(f) {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b *model.Flavor) int {
		if desc {
			a, b = b, a
		}
		return cmp.Or(compare(a, b), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

func least(c *rest.Call, name string) (int, error) {
	if c.Query(name) == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(c.Query(name))
	if err != nil {
		return 0, invalid("Invalid %s filter [%s]", name, shorten(c.Query(name)))
	}
	return n, nil
}

// publicness is what is_public asks for: public flavors and those that the
// project has access to, unless administrators ask for the others, or ("None")
// for all.
func publicness(c *rest.Call) (func(*model.Flavor) bool, error) {
	ask := c.Query("is_public")
	if !c.Caller.Admin() || ask == "" {
		return func(f *model.Flavor) bool { return f.UsableBy(c.Caller.ProjectID()) }, nil
	}
	if strings.EqualFold(ask, "none") {
		return func(*model.Flavor) bool { return true }, nil
	}
	public, ok := truthOf(ask)
	if !ok {
		return nil, invalid("Invalid is_public filter [%s]", shorten(ask))
	}
	return func(f *model.Flavor) bool { return f.Private != public || public && f.UsableBy(c.Caller.ProjectID()) }, nil
}

func flavorPage(c *rest.Call, path string, render func(*model.Flavor) object) (rest.Answer, error) {
	all, err := chosenFlavors(c)
	if err != nil {
		return rest.Answer{}, err
	}
	part, more, err := page(c, all, flavorID)
	if err != nil {
		return rest.Answer{}, err
	}
	out := []object{}
	for _, f := range part {
		out = append(out, render(f))
	}
	body := object{"flavors": out}
	if more {
		body["flavors_links"] = next(c, path, flavorID(part[len(part)-1]))
	}
	return rest.JSON(http.StatusOK, body), nil
}

func listFlavors(c *rest.Call) (rest.Answer, error) {
	return flavorPage(c, "flavors", func(f *model.Flavor) object {
		out := object{"id": f.ID, "name": f.Name, "links": links(c, "flavors", string(f.ID))}
		if c.Version.AtLeast(55) {
			out["description"] = orNull(f.Description)
		}
		return out
	})
}

func detailFlavors(c *rest.Call) (rest.Answer, error) {
	return flavorPage(c, "flavors/detail", func(f *model.Flavor) object { return renderFlavor(c, f) })
}

func findFlavor(c *rest.Call) (*model.Flavor, error) {
	f := c.View.Flavor(model.FlavorID(c.Param("id")))
	if f == nil || !f.UsableBy(c.Caller.ProjectID()) && !c.Caller.Admin() {
		return nil, errs.Errorf("compute.flavor", errs.NotFound, "Flavor %s could not be found.", shorten(c.Param("id")))
	}
	return f, nil
}

func showFlavor(c *rest.Call) (rest.Answer, error) {
	f, err := findFlavor(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"flavor": renderFlavor(c, f)}), nil
}

// flavorForm is a flavor's own id.
var flavorForm = regexp.MustCompile(`^[a-zA-Z0-9._-]([a-zA-Z0-9. _-]*[a-zA-Z0-9._-])?$`)

// one is the only rxtx_factor that is offered: nothing was ever shaped by it.
func one(name string, v any, _ rest.Version) error {
	if n, err := strconv.ParseFloat(shown(v), 64); err != nil || n != 1 {
		return badInput(name, v, "Only 1.0 is offered by this cloud")
	}
	return nil
}

var flavorRule = record(has("flavor", record(
	has("name", title).must(),
	has("ram", integer(1, command.MaxFlavorNumber)).must(),
	has("vcpus", integer(1, command.MaxFlavorNumber)).must(),
	has("disk", integer(0, command.MaxFlavorNumber)).must(),
	has("id", nullable(anyOf(text(1, model.MaxName, flavorForm), integer(0, 1<<62)))),
	has("OS-FLV-EXT-DATA:ephemeral", integer(0, command.MaxFlavorNumber)),
	has("swap", integer(0, command.MaxFlavorNumber)),
	has("rxtx_factor", one),
	has("os-flavor-access:is_public", boolish),
	has("description", nullable(printable(maxDescription))).from(55),
)).must())

type flavorIn struct {
	Flavor struct {
		ID          *word  `json:"id"`
		Name        string `json:"name"`
		RAM         number `json:"ram"`
		VCPUs       number `json:"vcpus"`
		Disk        number `json:"disk"`
		Ephemeral   number `json:"OS-FLV-EXT-DATA:ephemeral"`
		Swap        number `json:"swap"`
		Public      *truth `json:"os-flavor-access:is_public"`
		Description string `json:"description"`
	} `json:"flavor"`
}

// flavorAnswer shows a flavor after a change. Somebody may have deleted it
// right after.
func flavorAnswer(c *rest.Call, id model.FlavorID) (rest.Answer, error) {
	f := c.View.Flavor(id)
	if f == nil {
		return rest.Answer{}, errs.Errorf("compute.flavor", errs.NotFound, "Flavor %s could not be found.", id)
	}
	return rest.JSON(http.StatusOK, object{"flavor": renderFlavor(c, f)}), nil
}

// decideFlavor is the command that makes a flavor; id is for one that names
// none.
func decideFlavor(in flavorIn, id string) *command.FlavorCreate {
	f := in.Flavor
	if f.ID != nil && *f.ID != "" && *f.ID != "auto" {
		id = string(*f.ID)
	}
	return &command.FlavorCreate{ID: model.FlavorID(id), Name: f.Name, Description: f.Description, VCPUs: int(f.VCPUs), RAM: int(f.RAM),
		Disk: int(f.Disk), Ephemeral: int(f.Ephemeral), Swap: int(f.Swap), Private: f.Public != nil && !bool(*f.Public)}
}

func createFlavor(c *rest.Call) (rest.Answer, error) {
	var in flavorIn
	if err := parse(c, flavorRule, &in); err != nil {
		return rest.Answer{}, err
	}
	cmd := decideFlavor(in, c.UUID())
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return flavorAnswer(c, cmd.ID)
}

var flavorUpdateRule = record(has("flavor", record(has("description", nullable(printable(maxDescription))).must())).must())

func updateFlavor(c *rest.Call) (rest.Answer, error) {
	var in flavorIn
	if err := parse(c, flavorUpdateRule, &in); err != nil {
		return rest.Answer{}, err
	}
	f, err := findFlavor(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.FlavorUpdate{ID: f.ID, Description: in.Flavor.Description}); err != nil {
		return rest.Answer{}, err
	}
	return flavorAnswer(c, f.ID)
}

func deleteFlavor(c *rest.Call) (rest.Answer, error) {
	return accepted(c, &command.FlavorDelete{ID: model.FlavorID(c.Param("id"))})
}
