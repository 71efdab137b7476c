package command

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func TestAdministratorsOnly(t *testing.T) {
	r := newRig(t, 1).withDemo()
	for _, c := range []Command{
		exampleProjectCreate(), exampleProjectUpdate(), exampleProjectDelete(), exampleUserCreate(), exampleUserUpdate(), exampleUserDelete(),
		exampleRoleCreate(), exampleGrantPut(), exampleGrantDelete(), exampleTokenKeyRotate(), exampleFlavorCreate(), exampleFlavorDelete(),
		exampleQuotaSet(), exampleQuotaReset(), exampleHostService(), exampleJoinTokenCreate(), exampleJoinTokenDelete(), exampleNodeRemove(),
		exampleRoleUpdate(), exampleRoleDelete(),
		exampleFlavorUpdate(), exampleFlavorSpecs(), exampleFlavorAccess(),
	} {
		r.refused(r.demo(), c, errs.Forbidden, "")
		r.refused(hostActor(cloudHost), c, errs.Forbidden, "")
	}
	for _, c := range []Command{exampleExpire(), exampleStateCheckpoint(), exampleServersPlace(), exampleHostState(), exampleHostRegister(), exampleHostReport(),
		exampleNodeJoin()} {
		r.refused(r.admin(), c, errs.Forbidden, "")
	}
}

func TestEpochsRise(t *testing.T) {
	r := newRig(t, 1).withDemo()
	user := func() uint64 { return r.View().User(demoUser).Epoch }
	hash := "$argon2id$new"
	steps := []struct {
		name  string
		by    By
		c     Command
		rises bool
	}{
		{"a grant that is there", r.admin(), exampleGrantPut(), false},
		{"a new grant", r.admin(), &GrantPut{UserID: demoUser, ProjectID: adminProject, RoleID: roleMember}, true},
		{"a grant taken away", r.admin(), &GrantDelete{UserID: demoUser, ProjectID: adminProject, RoleID: roleMember}, true},
		{"its own password", r.demo(), &UserUpdate{ID: demoUser, PasswordHash: &hash}, true},
		{"disabled", r.admin(), exampleUserUpdate(), true},
		{"its project deleted", r.admin(), exampleProjectDelete(), true},
	}
	for _, s := range steps {
		before := user()
		r.must(s.by, s.c)
		if rose := user() > before; rose != s.rises {
			t.Errorf("%s: epoch %d, then %d", s.name, before, user())
		}
	}
	if u := r.View().User(demoUser); u.DefaultProject != "" {
		t.Errorf("the deleted project is still the default: %+v", u)
	}
	r.refused(r.admin(), exampleGrantDelete(), errs.NotFound, "")
}

// TestOwnPasswordAndNoMore: a user changes of itself nothing but the password.
func TestOwnPasswordAndNoMore(t *testing.T) {
	r := newRig(t, 1).withDemo()
	hash, text, no := "$argon2id$new", "x", false
	for _, c := range []UserUpdate{{Name: &text}, {Email: &text}, {Disabled: &no}, {Extra: map[string]string{"colour": `"red"`}}} {
		c.ID, c.PasswordHash = demoUser, &hash
		r.refused(r.demo(), &c, errs.Forbidden, "")
	}
	r.must(r.demo(), &UserUpdate{ID: demoUser, PasswordHash: &hash})
}

// TestExtraIsBounded, and each change begins with what was.
func TestExtraIsBounded(t *testing.T) {
	r := newRig(t, 1).withDemo()
	change := func(extra map[string]string) Command { return &ProjectUpdate{ID: demoProject, Extra: extra} }
	r.must(r.admin(), change(map[string]string{"a": "1", "b": "2"}))
	r.must(r.admin(), change(map[string]string{"b": "", "c": `{"x":[]}`, "colour": ""}))
	if got := fmt.Sprint(r.View().Project(demoProject).Extra); got != `map[a:1 c:{"x":[]}]` {
		t.Errorf("%s", got)
	}
	many := map[string]string{}
	for i := range maxExtra - 2 {
		many[fmt.Sprint(i)] = "true"
	}
	r.must(r.admin(), change(many))
	for _, bad := range []map[string]string{{"more": "1"}, {"": "1"}, {"a": "x"}, {"a": `"` + strings.Repeat("x", maxExtraBytes) + `"`}} {
		r.refused(r.admin(), change(bad), errs.Invalid, "")
	}
	u := exampleUserCreate()
	u.ID, u.Name, u.Extra = "000000000000000000000000000000b9", "other", map[string]string{"a": "["}
	r.refused(r.admin(), u, errs.Invalid, "")
}

func TestProjectEpochRises(t *testing.T) {
	r := newRig(t, 1).withDemo()
	before := r.View().Project(demoProject).Epoch
	r.must(r.admin(), exampleProjectUpdate())
	if p := r.View().Project(demoProject); p.Epoch != before+1 || !p.Disabled || p.Name != "demo" {
		t.Errorf("project = %+v", p)
	}
}

func TestNamesAreUniqueInADomain(t *testing.T) {
	r := newRig(t, 1).withDemo()
	p, u, role := exampleProjectCreate(), exampleUserCreate(), exampleRoleCreate()
	p.ID, u.ID = "000000000000000000000000000000a9", "000000000000000000000000000000b9"
	r.refused(r.admin(), p, errs.Conflict, "Conflict occurred attempting to store project - Duplicate entry found with name demo at domain ID default.")
	r.refused(r.admin(), u, errs.Conflict, "Conflict occurred attempting to store user - Duplicate entry found with name demo at domain ID default.")
	role.Name = "member"
	r.refused(r.admin(), role, errs.Conflict, "")
	name := "admin"
	r.refused(r.admin(), &ProjectUpdate{ID: demoProject, Name: &name}, errs.Conflict, "")
	r.refused(r.admin(), &UserUpdate{ID: demoUser, Name: &name}, errs.Conflict, "")
}

func TestProjectDeleteNeedsAnEmptyProject(t *testing.T) {
	r := newRig(t, 1).withCloud()
	r.refused(r.admin(), exampleProjectDelete(), errs.Conflict, "")
	r.must(r.demo(), exampleNetworkDelete())
	r.must(r.admin(), &QuotaSet{ProjectID: demoProject, Limits: []QuotaLimit{{"cores", 5}}})
	r.must(r.admin(), exampleProjectDelete())
	if err := audit(r.View()); err != nil {
		t.Error(err)
	}
}

func TestUserDeleteTakesItsThings(t *testing.T) {
	r := newRig(t, 1).withDemo()
	k := exampleKeyPairCreate()
	k.UserID = demoUser
	r.must(r.demo(), k)
	r.must(r.admin(), exampleUserDelete())
	for range r.View().KeyPairsOf(demoUser) {
		t.Error("a key pair outlived its user")
	}
	for range r.View().GrantsOf(demoUser) {
		t.Error("a grant outlived its user")
	}
}

func TestTokenKeysRotate(t *testing.T) {
	r := newRig(t, 1)
	for range 4 {
		r.must(r.leader(), exampleTokenKeyRotate())
	}
	var nums []uint64
	for k := range r.View().TokenKeys() {
		nums = append(nums, k.Num)
	}
	if fmt.Sprint(nums) != "[3 4 5]" {
		t.Errorf("keys = %v, want the newest three", nums)
	}
}

func TestRevocationsAreKeptUntilTheTokenEnds(t *testing.T) {
	r := newRig(t, 1)
	has := func() bool { return r.View().Revocation("a") != nil }
	r.must(r.admin(), &TokenRevoke{AuditID: "a", ExpiresAt: r.stamp.At})
	if has() {
		t.Error("an expired token was remembered")
	}
	end := r.stamp.At + 10e9
	r.must(r.admin(), &TokenRevoke{AuditID: "a", ExpiresAt: end})
	r.must(r.admin(), &TokenRevoke{AuditID: "a", ExpiresAt: end - 5e9})
	if got := r.View().Revocation("a").ExpiresAt; got != end {
		t.Errorf("expires at %d, want the later one, %d", got, end)
	}
	r.must(r.leader(), exampleExpire())
	if !has() {
		t.Error("the revocation went before the token")
	}
	r.stamp.At = end
	r.must(r.leader(), exampleExpire())
	if has() {
		t.Error("the revocation outlived the token")
	}
}

func TestExpireIsBounded(t *testing.T) {
	r := newRig(t, 1)
	for i := range MaxExpired + 10 {
		r.must(r.admin(), &TokenRevoke{AuditID: fmt.Sprint(i), ExpiresAt: r.stamp.At + 2e9})
	}
	count := func() (n int) {
		for range r.View().RevocationsByExpiry() {
			n++
		}
		return n
	}
	r.stamp.At += 1000e9
	for _, want := range []int{10, 0} {
		r.must(r.leader(), exampleExpire())
		if got := count(); got != want {
			t.Errorf("%d revocations are left, want %d", got, want)
		}
	}
}

func TestKeyPairRules(t *testing.T) {
	r := newRig(t, 1).withDemo()
	r.must(r.admin(), exampleKeyPairCreate())
	r.refused(r.admin(), exampleKeyPairCreate(), errs.Conflict, "Key pair 'laptop' already exists.")
	r.refused(r.demo(), exampleKeyPairCreate(), errs.NotFound, "")
	r.refused(r.demo(), exampleKeyPairDelete(), errs.NotFound, "Keypair laptop not found for user "+string(adminUser))
	for i := range state.MaxKeyPairs {
		r.must(r.demo(), &KeyPairCreate{UserID: demoUser, Name: fmt.Sprint(i), Type: "ssh", PublicKey: "k", Fingerprint: "f"})
	}
	r.refused(r.demo(), &KeyPairCreate{UserID: demoUser, Name: "one more", Type: "ssh", PublicKey: "k", Fingerprint: "f"},
		errs.Quota, "Quota exceeded, too many key pairs.")
	r.must(r.admin(), exampleKeyPairDelete())
}

func TestFlavorRules(t *testing.T) {
	r := newRig(t, 1)
	r.must(r.admin(), exampleFlavorCreate())
	other := exampleFlavorCreate()
	other.ID = "4"
	r.refused(r.admin(), other, errs.Conflict, "Flavor with name m1.medium already exists.")
	other = exampleFlavorCreate()
	other.Name = "x"
	r.refused(r.admin(), other, errs.Conflict, "Flavor with ID 3 already exists.")
	r.refused(r.admin(), &FlavorDelete{ID: "nope"}, errs.NotFound, "Flavor nope could not be found.")
	for name, change := range map[string]func(*FlavorCreate){
		"blank id":       func(c *FlavorCreate) { c.ID = " 5" },
		"no id":          func(c *FlavorCreate) { c.ID = "" },
		"no cpu":         func(c *FlavorCreate) { c.VCPUs = 0 },
		"negative disk":  func(c *FlavorCreate) { c.Disk = -1 },
		"huge disk":      func(c *FlavorCreate) { c.Disk = MaxFlavorNumber + 1 },
		"swap":           func(c *FlavorCreate) { c.Swap = 1 },
		"ephemeral disk": func(c *FlavorCreate) { c.Ephemeral = 1 },
		"bad extra spec": func(c *FlavorCreate) { c.ExtraSpecs = map[string]string{"a/b": "c"} },
	} {
		c := exampleFlavorCreate()
		c.ID, c.Name = model.FlavorID("5"), name
		change(c)
		r.refused(r.admin(), c, errs.Invalid, "")
	}
}

func TestNothingIsMadeInForeignProjects(t *testing.T) {
	r := newRig(t, 1).withCloud()
	private := exampleImageCreate()
	private.ID, private.Visibility = "00000000-0000-4000-8000-0000000000d9", "private"
	network, subnet, router := exampleNetworkCreate(), exampleSubnetCreate(), exampleRouterCreate()
	network.ID, router.ExternalNetworkID = "00000000-0000-4000-8000-0000000000e9", ""
	subnet.ID, subnet.CIDR, subnet.Gateway, subnet.Routes = "00000000-0000-4000-8000-0000000000e8", "10.9.0.0/24", "", nil
	// Each is well-formed and of the administrator's project.
	for _, c := range []Command{private, network, subnet, examplePortCreate(), router, exampleServerCreate()} {
		r.refused(r.demo(), c, errs.NotFound, "")
		r.must(r.admin(), c)
	}
}
