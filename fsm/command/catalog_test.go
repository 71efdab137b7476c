package command

import (
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func TestQuotaSentences(t *testing.T) {
	r := newRig(t, 1).withCloud()
	one := aServer()
	one.Size.VCPUs = 3
	r.must(r.demo(), one)
	set := func(resource string, limit int64) *QuotaSet {
		return &QuotaSet{ProjectID: demoProject, Limits: []QuotaLimit{{resource, limit}}}
	}
	r.refused(r.admin(), set("cores", 2), errs.Invalid, "Quota limit 2 for cores must be greater than or equal to already used and reserved 3.")
	r.refused(r.admin(), set("cores", -2), errs.Invalid, "Quota limit -2 for cores must be -1 or greater.")
	r.refused(r.admin(), set("tea", 2), errs.Invalid, "")
	r.refused(r.admin(), &QuotaSet{ProjectID: demoProject, Limits: []QuotaLimit{{"cores", 9}, {"cores", 10}}}, errs.Invalid, "")
	r.refused(r.admin(), &QuotaSet{ProjectID: "nope", Limits: []QuotaLimit{{"cores", 9}}}, errs.Invalid, "Project ID nope is not a valid project.")

	forced := set("cores", 2)
	forced.Force = true
	r.must(r.admin(), forced)
	two := aServer()
	two.Items[0].ID, two.Items[0].NICs = "00000000-0000-4000-8000-000000000011", nil
	r.refused(r.demo(), two, errs.Quota, "Quota exceeded for cores: Requested 1, but already used 3 of 2 cores")
	r.must(r.admin(), set("cores", model.Unlimited))
	r.must(r.demo(), two)
	r.must(r.admin(), set("port", 7))
	r.refused(r.admin(), &QuotaReset{ProjectID: demoProject}, errs.Invalid, "")
	r.refused(r.admin(), &QuotaReset{ProjectID: demoProject, Resources: []string{"cores", "tea"}}, errs.Invalid, "Unknown quota resources ['tea'].")
	r.must(r.admin(), &QuotaReset{ProjectID: demoProject, Resources: []string{"cores", "instances"}})
	if got := r.View().Limit(demoProject, "cores"); got != 20 {
		t.Errorf("limit after the reset = %d, want the default of 20", got)
	}
	if got := r.View().Limit(demoProject, "port"); got != 7 {
		t.Errorf("a limit that was not named is %d after the reset, want 7", got)
	}
}

func TestQuotaIsGivenBack(t *testing.T) {
	r := newRig(t, 1).withCloud()
	make := func() *NetworkCreate {
		return &NetworkCreate{ID: model.NetworkID(r.UUID()), ProjectID: demoProject}
	}
	r.must(r.admin(), &QuotaSet{ProjectID: demoProject, Limits: []QuotaLimit{{"network", 2}}})
	second := make()
	r.must(r.demo(), second)
	r.refused(r.demo(), make(), errs.Quota, "Quota exceeded for network: Requested 1, but already used 2 of 2 network")
	r.must(r.demo(), &NetworkDelete{ID: second.ID})
	r.must(r.demo(), make())
}

func TestImageLife(t *testing.T) {
	r := newRig(t, 1).withDemo()
	c := exampleImageCreate()
	c.ProjectID, c.DiskFormat = demoProject, ""
	r.refused(r.demo(), c, errs.Forbidden, "You are not authorized to complete publicize_image action.")
	c.Visibility = "private"
	r.must(r.demo(), c)
	r.refused(r.demo(), exampleImageUpload(), errs.Invalid, "Properties disk_format, container_format must be set prior to saving data.")
	qcow, raw, public, yes, no := "qcow2", "raw", "public", true, false
	r.must(r.demo(), &ImageUpdate{ID: cloudImage, DiskFormat: &qcow})
	r.must(r.demo(), exampleImageUpload())
	if i := r.View().Image(cloudImage); i.Status != model.ImageActive || i.SHA256 == "" {
		t.Errorf("image = %+v", i)
	}
	r.refused(r.demo(), exampleImageUpload(), errs.Conflict, "Image status transition from active to saving is not allowed")
	r.refused(r.demo(), &ImageUpdate{ID: cloudImage, DiskFormat: &raw}, errs.Forbidden, "")
	r.refused(r.demo(), &ImageUpdate{ID: cloudImage, Visibility: &public}, errs.Forbidden, "")
	r.refused(r.demo(), &ImageUpdate{ID: cloudImage, IfUpdatedAt: 1, Hidden: &yes}, errs.Conflict, "")
	r.must(r.demo(), &ImageUpdate{ID: cloudImage, IfUpdatedAt: r.View().Image(cloudImage).UpdatedAt, Protected: &yes})
	r.refused(r.demo(), exampleImageDelete(), errs.Forbidden, "")
	r.must(r.demo(), &ImageUpdate{ID: cloudImage, Protected: &no})
	r.must(r.demo(), exampleImageDelete())
	r.refused(r.demo(), exampleImageDelete(), errs.NotFound, "No image found with ID "+string(cloudImage))
}

func TestForeignImages(t *testing.T) {
	for visibility, want := range map[string]errs.Kind{
		"private": errs.NotFound, "shared": errs.NotFound, "public": errs.Forbidden, "community": errs.Forbidden,
	} {
		r := newRig(t, 1).withDemo()
		c := exampleImageCreate()
		c.Visibility = visibility
		r.must(r.admin(), c)
		r.refused(r.demo(), exampleImageDelete(), want, "")
		r.refused(r.demo(), exampleImageUpdate(), want, "")
		r.refused(r.demo(), exampleImageUpload(), want, "")
	}
}

func TestImageStaysWhileServersAreBuiltFromIt(t *testing.T) {
	r := newRig(t, 1).withCloud()
	// The root image names a second one as its kernel.
	kernel := exampleImageCreate()
	kernel.ID = "00000000-0000-4000-8000-0000000000d2"
	r.must(r.admin(), kernel)
	r.must(r.admin(), &ImageUpdate{ID: cloudImage, Properties: &map[string]string{"kernel_id": string(kernel.ID)}})
	p := r.placed()
	r.refused(r.admin(), exampleImageDelete(), errs.Conflict, "")
	r.refused(r.admin(), &ImageDelete{ID: kernel.ID}, errs.Conflict, "")
	r.report(p.Number, "running")
	r.must(r.admin(), &ImageDelete{ID: kernel.ID})
	r.must(r.admin(), exampleImageDelete())
}
