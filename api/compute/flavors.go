package compute

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func renderFlavor(c *rest.Call, f *model.Flavor) object {
	var swap any = ""
	if f.Swap > 0 {
		swap = f.Swap
	}
	return object{"id": f.ID, "name": f.Name, "ram": f.RAM, "disk": f.Disk, "vcpus": f.VCPUs, "swap": swap,
		"OS-FLV-EXT-DATA:ephemeral": f.Ephemeral, "OS-FLV-DISABLED:disabled": false, "os-flavor-access:is_public": !f.Private,
		"rxtx_factor": 1.0, "links": links(c, "flavors", string(f.ID))}
}

// flavorShown tells whether the caller may see a flavor.
func flavorShown(c *rest.Call, f *model.Flavor) bool {
	if !c.Caller.Admin() {
		return !f.Private
	}
	switch strings.ToLower(c.Query("is_public")) {
	case "", "true", "1":
		return !f.Private
	case "false", "0":
		return f.Private
	}
	return true
}

func listFlavors(c *rest.Call) (rest.Answer, error) {
	limit, err := c.Limit(rest.MaxLimit, rest.MaxLimit)
	if err != nil {
		return rest.Answer{}, err
	}
	var all []*model.Flavor
	for f := range c.View.Flavors() {
		ram, err1 := atLeast(c, "minRam", f.RAM)
		disk, err2 := atLeast(c, "minDisk", f.Disk)
		if err := cmp.Or(err1, err2); err != nil {
			return rest.Answer{}, err
		}
		if ram && disk && flavorShown(c, f) {
			all = append(all, f)
		}
	}
	page, more, found := rest.Page(all, func(f *model.Flavor) string { return string(f.ID) }, c.Query("marker"), limit)
	if !found {
		return rest.Answer{}, invalid("marker [%s] not found", c.Query("marker"))
	}
	detail := strings.HasSuffix(c.Request.URL.Path, "/detail")
	out := []object{}
	for _, f := range page {
		o := renderFlavor(c, f)
		if !detail {
			o = object{"id": f.ID, "name": f.Name, "links": o["links"]}
		}
		out = append(out, o)
	}
	body := object{"flavors": out}
	if more {
		body["flavors_links"] = next(c, "flavors", string(page[len(page)-1].ID))
	}
	return rest.JSON(http.StatusOK, body), nil
}

func atLeast(c *rest.Call, name string, have int) (bool, error) {
	if c.Query(name) == "" {
		return true, nil
	}
	n, err := strconv.Atoi(c.Query(name))
	if err != nil {
		return false, invalid("Invalid %s filter [%s]", name, c.Query(name))
	}
	return have >= n, nil
}

func findFlavor(c *rest.Call, id string) (*model.Flavor, error) {
	f := c.View.Flavor(model.FlavorID(id))
	if f == nil || f.Private && !c.Caller.Admin() {
		return nil, errs.Errorf("compute.flavor", errs.NotFound, "Flavor %s could not be found.", id)
	}
	return f, nil
}

func showFlavor(c *rest.Call) (rest.Answer, error) {
	f, err := findFlavor(c, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"flavor": renderFlavor(c, f)}), nil
}

func flavorSpecs(c *rest.Call) (rest.Answer, error) {
	f, err := findFlavor(c, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	specs := f.ExtraSpecs
	if specs == nil {
		specs = map[string]string{}
	}
	return rest.JSON(http.StatusOK, object{"extra_specs": specs}), nil
}

func createFlavor(c *rest.Call) (rest.Answer, error) {
	var in struct {
		Flavor struct {
			ID        any     `json:"id"`
			Name      string  `json:"name"`
			RAM       *number `json:"ram"`
			VCPUs     *number `json:"vcpus"`
			Disk      *number `json:"disk"`
			Ephemeral number  `json:"OS-FLV-EXT-DATA:ephemeral"`
			Swap      number  `json:"swap"`
			RXTX      any     `json:"rxtx_factor"`
			Public    *bool   `json:"os-flavor-access:is_public"`
		} `json:"flavor"`
	}
	if err := c.Decode(&in, true); err != nil {
		return rest.Answer{}, err
	}
	f := in.Flavor
	if f.RAM == nil || f.VCPUs == nil || f.Disk == nil {
		return rest.Answer{}, badInput("flavor", f.Name, "'ram', 'vcpus' and 'disk' are required properties")
	}
	cmd := &command.FlavorCreate{Name: f.Name, RAM: int(*f.RAM), VCPUs: int(*f.VCPUs), Disk: int(*f.Disk),
		Ephemeral: int(f.Ephemeral), Swap: int(f.Swap), Private: f.Public != nil && !*f.Public}
	switch id := f.ID.(type) {
	case string:
		cmd.ID = model.FlavorID(id)
	case float64:
		cmd.ID = model.FlavorID(strconv.FormatFloat(id, 'f', -1, 64))
	}
	if cmd.ID == "" || cmd.ID == "auto" {
		cmd.ID = model.FlavorID(c.UUID())
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"flavor": renderFlavor(c, c.View.Flavor(cmd.ID))}), nil
}

func deleteFlavor(c *rest.Call) (rest.Answer, error) {
	if _, err := c.Do(&command.FlavorDelete{ID: model.FlavorID(c.Param("id"))}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusAccepted), nil
}

// number is an integer, or a string of digits, as Nova takes them.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return badInput("number", text, "it is not of type 'integer'")
	}
	*n = number(v)
	return nil
}

// sorted gives a list ordered by an id.
func sorted[T any](all []T, id func(T) string) []T {
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	return all
}
