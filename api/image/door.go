package image

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Door is the front door; make it with its parts filled in.
type Door struct {
	Store *imagestore.Store
	// MaxBytes bounds one image; 0 is no bound but the store's.
	MaxBytes int64
	// Spread (optional) brings stored bytes to a majority of the control nodes;
	// an image is active only after that.
	Spread func(ctx context.Context, sha256 string) error
	// Fetch (optional) opens bytes that are not on this node, by way of another
	// one.
	Fetch func(ctx context.Context, e imagestore.Entry) (*os.File, int64, error)

	keep keeper
}

// Dialect is how Image words its faults: as text; clients look at the status.
func Dialect(root string) *rest.Dialect {
	return &rest.Dialect{
		Name: "image", Root: root,
		Fault: func(_ *rest.Call, status int, message string, h http.Header) (any, string) {
			h.Set("Content-Type", faultType)
			return nil, fault(status, message)
		},
		Unauthorized: func(c *rest.Call) string {
			return `Keystone uri="` + strings.TrimSuffix(c.Endpoint, root) + `/identity"`
		},
		Forbidden: func(r *rest.Route) string { return "You are not authorized to complete " + r.Name + " action." },
		Status: func(err error) int {
			if errs.Is(err, errs.Quota) {
				return http.StatusRequestEntityTooLarge
			}
			return 0
		},
	}
}

// faultType is the media type of a fault.
const faultType = "text/html; charset=UTF-8"

// escape writes what could be taken for a tag or a character's name. Quotes
// stay: clients take the tags away and show the rest as it is.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// fault is a failure as Glance words it: a page, of which openstack shows the
// lines. Of plain text it would show nothing but the status.
func fault(status int, message string) string {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return "<html>\n<head>\n<title>" + title + "</title>\n</head>\n<body>\n<h1>" + title + "</h1>\n" + escape.Replace(message) +
		"<br /><br />\n</body>\n</html>\n"
}

// Routes is the whole API as one table.
func (d *Door) Routes() []rest.Route {
	get, post, put, del, patch := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch
	routes := []rest.Route{
		{Name: "versions", Method: get, Path: "", Quiet: true, Handle: versions(http.StatusMultipleChoices)},
		{Name: "versions", Method: get, Path: "/", Quiet: true, Handle: versions(http.StatusMultipleChoices)},
		{Name: "versions", Method: get, Path: "/versions", Quiet: true, Handle: versions(http.StatusOK)},

		{Name: "get_images", Method: get, Path: "/v2/images", Persona: rest.Reader, Handle: list},
		{Name: "add_image", Method: post, Path: "/v2/images", Persona: rest.Member, Handle: create},
		{Name: "get_image", Method: get, Path: "/v2/images/{id}", Persona: rest.Reader, Handle: show},
		{Name: "modify_image", Method: patch, Path: "/v2/images/{id}", Persona: rest.Member, Handle: patchImage},
		{Name: "delete_image", Method: del, Path: "/v2/images/{id}", Persona: rest.Member, Handle: d.delete},
		{Name: "upload_image", Method: put, Path: "/v2/images/{id}/file", Persona: rest.Member, Raw: true, Handle: d.upload},
		{Name: "download_image", Method: get, Path: "/v2/images/{id}/file", Persona: rest.Reader, Raw: true, Handle: d.download},
		{Name: "add_tag", Method: put, Path: "/v2/images/{id}/tags/{tag}", Persona: rest.Member, Handle: addTag},
		{Name: "delete_tag", Method: del, Path: "/v2/images/{id}/tags/{tag}", Persona: rest.Member, Handle: removeTag},

		{Name: "get_schema", Method: get, Path: "/v2/schemas/{name}", Persona: rest.Anyone, Handle: schema},
		{Name: "get_import_info", Method: get, Path: "/v2/info/import", Persona: rest.Anyone, Handle: importInfo},
		{Name: "get_metadef_namespaces", Method: get, Path: "/v2/metadefs/namespaces", Persona: rest.Anyone, Handle: namespaces},
	}
	for _, r := range []struct{ method, path, what string }{
		{post, "/actions/deactivate", "Deactivating images"}, {post, "/actions/reactivate", "Reactivating images"},
		{put, "/stage", "Staging image data"}, {post, "/import", "Importing images"},
		{get, "/members", "Sharing images with members"}, {post, "/members", "Sharing images with members"},
		{get, "/members/{member}", "Sharing images with members"}, {put, "/members/{member}", "Sharing images with members"},
		{del, "/members/{member}", "Sharing images with members"},
	} {
		routes = append(routes, rest.Route{Name: "not_offered", Method: r.method, Path: "/v2/images/{id}" + r.path, Persona: rest.Reader, Handle: notOffered(r.what)})
	}
	return routes
}

// notOffered answers for an image that the caller sees what this cloud does
// not do with any.
func notOffered(what string) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		if _, err := find(c.View, c.Caller, c.Param("id")); err != nil {
			return rest.Answer{}, err
		}
		return rest.Answer{}, errs.Errorf("image.route", errs.NotImplemented, "%s is not offered by this cloud.", what)
	}
}

type object = map[string]any

// visible tells whether the caller may know of an image. Images that are
// shared have no members here, so only their owner sees them.
func visible(who rest.Caller, i *model.Image) bool {
	return i.ProjectID == who.ProjectID() || i.Visibility == "public" || i.Visibility == "community" || who.Admin()
}

// find gives an image that the caller may see; others do not exist for it.
func find(v state.View, who rest.Caller, id string) (*model.Image, error) {
	i := v.Image(model.ImageID(id))
	if i == nil || !visible(who, i) {
		return nil, errs.Errorf("image.find", errs.NotFound, "No image found with ID %.64s", id)
	}
	return i, nil
}

// findOwn gives an image that the caller may change. One that it merely sees
// is errs.Forbidden.
func findOwn(v state.View, who rest.Caller, id string) (*model.Image, error) {
	i, err := find(v, who, id)
	if err == nil && i.ProjectID != who.ProjectID() && !who.Admin() {
		return nil, errs.Errorf("image.find", errs.Forbidden, "You are not permitted to modify image %s.", i.ID)
	}
	return i, err
}

// shown answers with an image after a change. Somebody may have deleted it
// right after.
func shown(c *rest.Call, status int, id model.ImageID) (rest.Answer, error) {
	i, err := find(c.View, c.Caller, string(id))
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(status, render(i)), nil
}

func invalid(format string, args ...any) error {
	return errs.Errorf("image.parse", errs.Invalid, format, args...)
}
