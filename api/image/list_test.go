package image

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/internal/model"
)

// image is what tables of the state give.
type image = *model.Image

type listing struct {
	Images []struct {
		ID   string
		Name *string
		Self string
	}
	First, Next string
}

// names lists the names that a query gives.
func (r *rig) names(who, query string) (out []string) {
	r.t.Helper()
	for _, i := range decode[listing](r.t, r.want(200, who, "GET", "/v2/images"+query, "")).Images {
		if i.Name == nil {
			out = append(out, "null")
			continue
		}
		out = append(out, *i.Name)
	}
	return out
}

func TestFiltersAndOrder(t *testing.T) {
	r := newRig(t)
	a := r.active(member, `,"name":"a","tags":["x","y"],"color":"red"`)
	made := decode[struct {
		CreatedAt string `json:"created_at"`
		UpdatedAt string `json:"updated_at"`
	}](t, r.want(200, member, "GET", a, ""))
	r.image(member, `{"name":"b,c","tags":["x"],"protected":true,"disk_format":"qcow2","container_format":"bare"}`)
	r.image(member, `{"name":"d","os_hidden":true,"min_ram":64}`)
	r.image(stranger, `{"name":"hers"}`)
	id := strings.TrimPrefix(a, "/v2/images/")
	for query, want := range map[string]string{
		"":                                  "b,c a",
		"?sort_key=name&sort_dir=asc":       "a b,c",
		"?sort=status:asc,name:desc":        "a b,c",
		"?sort=name":                        "b,c a",
		"?sort_key=created_at&sort_dir=asc": "a b,c",
		"?name=a":                           "a",
		"?name=none":                        "",
		"?name=in:a,d":                      "a",
		`?name=in:%22b,c%22,a`:              "b,c a",
		"?id=in:" + id + ",x":               "a",
		"?id=" + id:                         "a",
		"?status=queued":                    "b,c",
		"?status=active":                    "a",
		"?owner=" + string(resttest.MemberProject):   "b,c a",
		"?owner=" + string(resttest.StrangerProject): "",
		"?tag=x":                           "b,c a",
		"?tag=x&tag=y":                     "a",
		"?color=red":                       "a",
		"?color=blue":                      "",
		"?color=":                          "",
		"?os_hidden=true":                  "d",
		"?os_hidden=False":                 "b,c a",
		"?protected=true":                  "b,c",
		"?size=600":                        "a",
		"?size_min=600":                    "a",
		"?size_min=601":                    "",
		"?size_max=599":                    "b,c",
		"?disk_format=in:qcow2,vmdk":       "b,c",
		"?container_format=bare":           "b,c a",
		"?created_at=gt:" + made.CreatedAt: "b,c",
		"?created_at=lte:" + strings.TrimSuffix(made.CreatedAt, "Z"): "a",
		"?created_at=" + made.CreatedAt:                              "a",
		"?updated_at=neq:" + made.UpdatedAt:                          "b,c",
		"?member_status=all":                                         "b,c a",
		"?limit=0":                                                   "",
		"?limit=1":                                                   "b,c",
	} {
		if got := strings.Join(r.names(member, query), " "); got != want {
			t.Errorf("list%s gives %q, want %q", query, got, want)
		}
	}
	if got := strings.Join(r.names(admin, "?sort_key=name&sort_dir=asc"), " "); got != "a b,c hers" {
		t.Errorf("the administrator sees %q", got)
	}
}

func TestPages(t *testing.T) {
	r := newRig(t)
	for n := range 27 {
		r.image(member, fmt.Sprintf(`{"name":"n%02d"}`, n))
	}
	first := decode[listing](t, r.want(200, member, "GET", "/v2/images", ""))
	if len(first.Images) != 25 || first.First != "/v2/images" {
		t.Errorf("%d images on the first page, first is %s", len(first.Images), first.First)
	}
	var got []string
	pages := 0
	for next := "/v2/images?limit=10&sort=name:asc"; next != ""; pages++ {
		page := decode[listing](t, r.want(200, member, "GET", next, ""))
		for _, i := range page.Images {
			got = append(got, *i.Name)
		}
		if u, err := url.Parse(page.First); err != nil || u.Query().Has("marker") || u.Query().Get("limit") != "10" {
			t.Errorf("first is %s", page.First)
		}
		next = page.Next
	}
	if len(got) != 27 || got[0] != "n00" || got[26] != "n26" || pages != 3 {
		t.Errorf("%d pages gave %v", pages, got)
	}
}

func TestSplitQuoted(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "a,b": "a|b", `"a,b",c`: "a,b|c", "": "", ",": "|", `"`: "!", `a"b`: "!"} {
		parts, ok := splitQuoted(in)
		if got := strings.Join(parts, "|"); ok && got != want || ok == (want == "!") {
			t.Errorf("splitQuoted(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}
