package compute

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// limited is one resource of a quota set: counted per project, or (fixed) the
// same for all. until is the last minor version that shows it.
type limited struct {
	name    string
	counted bool
	fixed   int64
	until   int
}

// quotaTable is what is counted for this door, and what is not counted.
var quotaTable = func() (out []limited) {
	for _, r := range state.ResourcesOf(state.ComputeQuota) {
		out = append(out, limited{name: r.Name, counted: true})
	}
	return append(out, fixedLimits...)
}()

var fixedLimits = []limited{
	{name: "metadata_items", fixed: maxMetadata}, {name: "key_pairs", fixed: state.MaxKeyPairs},
	{name: "server_groups"}, {name: "server_group_members"},
	{name: "injected_files", until: 56}, {name: "injected_file_content_bytes", until: 56}, {name: "injected_file_path_bytes", until: 56},
	{name: "fixed_ips", fixed: model.Unlimited, until: 35}, {name: "floating_ips", until: 35},
	{name: "security_groups", until: 35}, {name: "security_group_rules", until: 35},
}

// quotaSet is a set with a value for each resource of the microversion.
func quotaSet(c *rest.Call, value func(limited) any) object {
	out := object{}
	for _, l := range quotaTable {
		if within(c.Version, 1, l.until) {
			out[l.name] = value(l)
		}
	}
	return out
}

// limitOf is a project's limit of a resource.
func limitOf(c *rest.Call, p model.ProjectID) func(limited) any {
	return func(l limited) any {
		if l.counted {
			return c.View.Limit(p, l.name)
		}
		return l.fixed
	}
}

// quotaProject is the project that a quota's path names.
func quotaProject(c *rest.Call, policy string) (model.ProjectID, error) {
	if err := onlyQuery(c, "user_id"); err != nil {
		return "", err
	}
	p := model.ProjectID(c.Param("project"))
	if p != c.Caller.ProjectID() && !c.Caller.Admin() {
		return "", forbidden("os-quota-sets:" + policy)
	}
	if c.View.Project(p) == nil {
		return "", invalid("Project ID %s is not a valid project.", shorten(string(p)))
	}
	return p, nil
}

// quotaAnswer shows a project's set by its values.
func quotaAnswer(c *rest.Call, policy string, value func(model.ProjectID) func(limited) any) (rest.Answer, error) {
	p, err := quotaProject(c, policy)
	if err != nil {
		return rest.Answer{}, err
	}
	out := quotaSet(c, value(p))
	out["id"] = p
	return rest.JSON(http.StatusOK, object{"quota_set": out}), nil
}

func showQuota(c *rest.Call) (rest.Answer, error) {
	return quotaAnswer(c, "show", func(p model.ProjectID) func(limited) any { return limitOf(c, p) })
}

func detailQuota(c *rest.Call) (rest.Answer, error) {
	return quotaAnswer(c, "detail", func(p model.ProjectID) func(limited) any {
		return func(l limited) any {
			return object{"limit": limitOf(c, p)(l), "in_use": c.View.Used(p, l.name), "reserved": 0}
		}
	})
}

func defaultQuota(c *rest.Call) (rest.Answer, error) {
	return quotaAnswer(c, "defaults", func(model.ProjectID) func(limited) any {
		return func(l limited) any {
			if !l.counted {
				return l.fixed
			}
			r, _ := state.ResourceNamed(l.name)
			return r.Default
		}
	})
}

// quotaRule is the table as a body.
var quotaRule = func() rule {
	fields := []field{has("force", boolish), has("tenant_id", anything)}
	for _, l := range quotaTable {
		fields = append(fields, has(l.name, integer(model.Unlimited, command.MaxQuotaLimit)).until(l.until))
	}
	return record(has("quota_set", record(fields...)).must())
}()

// decideQuota is the command that sets limits.
func decideQuota(p model.ProjectID, set map[string]any) (*command.QuotaSet, error) {
	cmd := &command.QuotaSet{ProjectID: p}
	cmd.Force, _ = truthOf(set["force"])
	for _, l := range quotaTable {
		v, given := set[l.name]
		if !given {
			continue
		}
		n, _ := wholeNumber(v)
		if !l.counted && n != l.fixed {
			return nil, badInput(l.name, v, "This limit is the same for all projects and cannot be set")
		}
		if l.counted {
			cmd.Limits = append(cmd.Limits, command.QuotaLimit{Resource: l.name, Limit: n})
		}
	}
	slices.SortFunc(cmd.Limits, func(a, b command.QuotaLimit) int { return cmp.Compare(a.Resource, b.Resource) })
	return cmd, nil
}

func setQuota(c *rest.Call) (rest.Answer, error) {
	body, err := decode(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if err := quotaRule("", body, c.Version); err != nil {
		return rest.Answer{}, err
	}
	p, err := quotaProject(c, "update")
	if err != nil {
		return rest.Answer{}, err
	}
	if err := noUserQuota(c); err != nil {
		return rest.Answer{}, err
	}
	set := body.(object)["quota_set"].(object)
	cmd, err := decideQuota(p, set)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"quota_set": quotaSet(c, limitOf(c, p))}), nil
}

func resetQuota(c *rest.Call) (rest.Answer, error) {
	p, err := quotaProject(c, "delete")
	if err != nil {
		return rest.Answer{}, err
	}
	if err := noUserQuota(c); err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.QuotaReset{ProjectID: p}
	for _, r := range state.ResourcesOf(state.ComputeQuota) {
		cmd.Resources = append(cmd.Resources, r.Name)
	}
	return accepted(c, cmd)
}

// noUserQuota refuses to limit one user of a project: limits are the
// project's.
func noUserQuota(c *rest.Call) error {
	if c.Query("user_id") == "" {
		return nil
	}
	return errs.Errorf("compute.quota", errs.NotImplemented, "Limits of single users are not offered by this cloud.")
}
