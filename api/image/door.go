package image

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Door is the front door; make it with its parts filled in.
type Door struct {
	Store *imagestore.Store
	// MaxBytes bounds one image.
	MaxBytes int64
}

// Dialect is how Image words its faults: as text; clients look at the status.
func Dialect(root string) *rest.Dialect {
	return &rest.Dialect{
		Name: "image", Root: root,
		Fault: func(_ *rest.Call, status int, message string, _ http.Header) (any, string) {
			return nil, http.StatusText(status) + "\n\n" + message + "\n"
		},
		Unauthorized: func(c *rest.Call) string { return `Keystone uri="` + c.Endpoint + `"` },
		Forbidden:    func(r *rest.Route) string { return "You are not authorized to complete " + r.Name + " action." },
		Status: func(err error) int {
			if errs.Is(err, errs.Quota) {
				return http.StatusRequestEntityTooLarge
			}
			return 0
		},
	}
}

// Routes is the whole API as one table.
func (d *Door) Routes() []rest.Route {
	get, post, put, del, patch := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch
	return []rest.Route{
		{Name: "versions", Method: get, Path: "", Quiet: true, Handle: versions(http.StatusMultipleChoices)},
		{Name: "versions", Method: get, Path: "/", Quiet: true, Handle: versions(http.StatusMultipleChoices)},
		{Name: "versions", Method: get, Path: "/versions", Quiet: true, Handle: versions(http.StatusOK)},
		{Name: "get_images", Method: get, Path: "/v2/images", Persona: rest.Reader, Handle: d.list},
		{Name: "add_image", Method: post, Path: "/v2/images", Persona: rest.Member, Handle: d.create},
		{Name: "get_image", Method: get, Path: "/v2/images/{id}", Persona: rest.Reader, Handle: d.show},
		{Name: "modify_image", Method: patch, Path: "/v2/images/{id}", Persona: rest.Member, Handle: d.patch},
		{Name: "delete_image", Method: del, Path: "/v2/images/{id}", Persona: rest.Member, Handle: d.delete},
		{Name: "upload_image", Method: put, Path: "/v2/images/{id}/file", Persona: rest.Member, Raw: true, Handle: d.upload},
		{Name: "download_image", Method: get, Path: "/v2/images/{id}/file", Persona: rest.Reader, Raw: true, Handle: d.download},
	}
}

type object = map[string]any

func versions(status int) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		return rest.JSON(status, object{"versions": []object{{"id": "v2.5", "status": "CURRENT",
			"links": []object{{"rel": "self", "href": c.Endpoint + "/v2/"}}}}}), nil
	}
}

// visible tells whether the caller may know of an image.
func visible(c *rest.Call, i *model.Image) bool {
	return i.ProjectID == c.Caller.ProjectID() || i.Visibility == "public" || i.Visibility == "community" || c.Caller.Admin()
}

func find(c *rest.Call) (*model.Image, error) {
	i := c.View.Image(model.ImageID(c.Param("id")))
	if i == nil || !visible(c, i) {
		return nil, errs.Errorf("image.find", errs.NotFound, "No image found with ID %s", c.Param("id"))
	}
	return i, nil
}

func invalid(format string, args ...any) error {
	return errs.Errorf("image.parse", errs.Invalid, format, args...)
}
