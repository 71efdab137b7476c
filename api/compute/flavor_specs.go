package compute

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// specsRule is a map of texts, or of numbers, which stand for their digits.
func specsRule(name string, v any, at rest.Version) error {
	m, ok := v.(map[string]any)
	if !ok {
		return wrongType(name, v, "object")
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !metadataKey.MatchString(k) {
			return badInput(name, v, "'"+shorten(k)+"' does not match any of the regexes: '"+metadataKey.String()+"'")
		}
		if err := printable(model.MaxName)(k, specText(m[k]), at); err != nil {
			return err
		}
		if !at.AtLeast(86) {
			continue
		}
		if why := checkSpec(k, specText(m[k]).(string)); why != "" {
			return invalid("Validation failed; %s", why)
		}
	}
	return nil
}

// specText is a spec's value as text; what is neither text nor number stays.
func specText(v any) any {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

var specsBody = record(has("extra_specs", specsRule).must())

func listSpecs(c *rest.Call) (rest.Answer, error) {
	f, err := findFlavor(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"extra_specs": filled(f.ExtraSpecs)}), nil
}

// findSpec gives the extra spec that the path names, and its flavor.
func findSpec(c *rest.Call) (f *model.Flavor, value string, err error) {
	if f, err = findFlavor(c); err != nil {
		return nil, "", err
	}
	value, there := f.ExtraSpecs[c.Param("key")]
	if !there {
		err = errs.Errorf("compute.flavor", errs.NotFound, "Flavor %s has no extra specs with key %s.", f.ID, shorten(c.Param("key")))
	}
	return f, value, err
}

func showSpec(c *rest.Call) (rest.Answer, error) {
	_, value, err := findSpec(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{c.Param("key"): value}), nil
}

// setSpecs adds specs to the flavor that the path names.
func setSpecs(c *rest.Call, in object) error {
	f, err := findFlavor(c)
	if err != nil {
		return err
	}
	cmd := &command.FlavorSpecs{ID: f.ID, Set: map[string]string{}}
	for k, v := range in {
		cmd.Set[k] = specText(v).(string)
	}
	_, err = c.Do(cmd)
	return err
}

// createSpecs adds specs, and answers with what it was asked for.
func createSpecs(c *rest.Call) (rest.Answer, error) {
	body, err := decode(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if err := specsBody("", body, c.Version); err != nil {
		return rest.Answer{}, err
	}
	in := body.(object)["extra_specs"].(object)
	if err := setSpecs(c, in); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"extra_specs": in}), nil
}

func putSpec(c *rest.Call) (rest.Answer, error) {
	body, err := decode(c)
	if err != nil {
		return rest.Answer{}, err
	}
	in := body.(object)
	if err := specsRule("extra_specs", in, c.Version); err != nil {
		return rest.Answer{}, err
	}
	if _, there := in[c.Param("key")]; !there || len(in) != 1 {
		return rest.Answer{}, invalid("Request body and URI mismatch")
	}
	if err := setSpecs(c, in); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, in), nil
}

func deleteSpec(c *rest.Call) (rest.Answer, error) {
	f, _, err := findSpec(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.FlavorSpecs{ID: f.ID, Unset: c.Param("key")}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusOK), nil
}
