package image

import (
	"net/http"
	"slices"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

const stamp = "2006-01-02T15:04:05Z"

func at(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format(stamp) }

func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// render is an image as clients see it: flat, with its own properties.
func render(i *model.Image) object {
	out := object{}
	for k, v := range i.Properties {
		out[k] = v
	}
	path := "/v2/images/" + string(i.ID)
	base := object{
		"id": i.ID, "name": orNull(i.Name), "status": i.Status, "visibility": i.Visibility, "protected": i.Protected, "os_hidden": i.Hidden,
		"checksum": orNull(i.MD5), "os_hash_algo": nil, "os_hash_value": orNull(i.SHA512), "owner": i.ProjectID, "size": nil, "virtual_size": nil,
		"container_format": orNull(i.ContainerFormat), "disk_format": orNull(i.DiskFormat), "min_ram": i.MinRAM, "min_disk": i.MinDisk,
		"tags": append([]string{}, i.Tags...), "created_at": at(i.CreatedAt), "updated_at": at(i.UpdatedAt),
		"self": path, "file": path + "/file", "schema": "/v2/schemas/image",
	}
	if i.SHA256 != "" {
		base["os_hash_algo"], base["size"], base["virtual_size"] = "sha512", i.Size, i.VirtualSize
	}
	for k, v := range base {
		out[k] = v
	}
	return out
}

// settable is what a client may change of an image, as if it had been read
// from JSON.
func settable(i *model.Image) draft {
	out := draft{"name": orNull(i.Name), "visibility": i.Visibility, "protected": i.Protected, "os_hidden": i.Hidden,
		"container_format": orNull(i.ContainerFormat), "disk_format": orNull(i.DiskFormat),
		"min_ram": float64(i.MinRAM), "min_disk": float64(i.MinDisk)}
	for k, v := range i.Properties {
		out[k] = v
	}
	tags := []any{}
	for _, t := range slices.Sorted(slices.Values(i.Tags)) {
		tags = append(tags, t)
	}
	out["tags"] = tags
	return out
}

func show(c *rest.Call) (rest.Answer, error) {
	return shown(c, http.StatusOK, model.ImageID(c.Param("id")))
}
