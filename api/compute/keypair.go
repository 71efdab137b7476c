package compute

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func renderKeyPair(c *rest.Call, k *model.KeyPair) object {
	out := object{"name": k.Name, "public_key": k.PublicKey, "fingerprint": k.Fingerprint}
	if c.Version.AtLeast(2) {
		out["type"] = k.Type
	}
	return out
}

// keyOwner is whose key pairs are meant: an administrator may name another
// user from 2.10 on.
func keyOwner(c *rest.Call, asked, policy string) (model.UserID, error) {
	own := c.Caller.User.ID
	if asked == "" || model.UserID(asked) == own || !c.Version.AtLeast(10) {
		return own, nil
	}
	if !c.Caller.Admin() {
		return "", forbidden("os-keypairs:" + policy)
	}
	return model.UserID(asked), nil
}

func keyName(k *model.KeyPair) string { return k.Name }

func listKeyPairs(c *rest.Call) (rest.Answer, error) {
	if err := onlyQuery(c, "user_id", "limit", "marker"); err != nil {
		return rest.Answer{}, err
	}
	owner, err := keyOwner(c, c.Query("user_id"), "index")
	if err != nil {
		return rest.Answer{}, err
	}
	var all []*model.KeyPair
	for k := range c.View.KeyPairsOf(owner) {
		all = append(all, k)
	}
	more := false
	if c.Version.AtLeast(35) {
		if all, more, err = page(c, all, keyName); err != nil {
			return rest.Answer{}, err
		}
	}
	out := []object{}
	for _, k := range all {
		out = append(out, object{"keypair": renderKeyPair(c, k)})
	}
	body := object{"keypairs": out}
	if more {
		body["keypairs_links"] = next(c, "os-keypairs", all[len(all)-1].Name)
	}
	return rest.JSON(http.StatusOK, body), nil
}

func findKeyPair(c *rest.Call, policy string) (*model.KeyPair, error) {
	if err := onlyQuery(c, "user_id"); err != nil {
		return nil, err
	}
	owner, err := keyOwner(c, c.Query("user_id"), policy)
	if err != nil {
		return nil, err
	}
	k := c.View.KeyPair(owner, c.Param("name"))
	if k == nil {
		return nil, noKeyPair(owner, c.Param("name"))
	}
	return k, nil
}

func noKeyPair(owner model.UserID, name string) error {
	return errs.Errorf("compute.key", errs.NotFound, "Keypair %s not found for user %s", shorten(name), owner)
}

func showKeyPair(c *rest.Call) (rest.Answer, error) {
	k, err := findKeyPair(c, "show")
	if err != nil {
		return rest.Answer{}, err
	}
	out := renderKeyPair(c, k)
	out["user_id"], out["id"], out["created_at"] = k.UserID, k.Num, micro(k.CreatedAt)
	out["updated_at"], out["deleted"], out["deleted_at"] = nil, false, nil
	return rest.JSON(http.StatusOK, object{"keypair": out}), nil
}

func deleteKeyPair(c *rest.Call) (rest.Answer, error) {
	k, err := findKeyPair(c, "delete")
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.KeyPairDelete{UserID: k.UserID, Name: k.Name}); err != nil {
		return rest.Answer{}, err
	}
	if c.Version.AtLeast(2) {
		return rest.Empty(http.StatusNoContent), nil
	}
	return rest.Empty(http.StatusAccepted), nil
}

// The forms of a key pair's name, before and from 2.92.
var (
	oldKeyName = regexp.MustCompile(`^[a-zA-Z0-9 _-]+$`)
	newKeyName = regexp.MustCompile(`^[a-zA-Z0-9 _@.-]+$`)
)

func keyNameRule(name string, v any, at rest.Version) error {
	form := oldKeyName
	if at.AtLeast(92) {
		form = newKeyName
	}
	if err := text(1, model.MaxName, form)(name, v, at); err != nil {
		return err
	}
	return title(name, v, at)
}

var keyPairRule = record(has("keypair", record(
	has("name", keyNameRule).must(),
	has("public_key", text(0, maxKey, nil)).mustFrom(92),
	has("type", oneOf("ssh", "x509")).from(2),
	has("user_id", text(1, model.MaxName, nil)).from(10),
)).must())

type keyPairIn struct {
	KeyPair struct {
		Name      string  `json:"name"`
		PublicKey *string `json:"public_key"`
		Type      string  `json:"type"`
		UserID    string  `json:"user_id"`
	} `json:"keypair"`
}

// decideKeyPair is the command that stores a public key.
func decideKeyPair(owner model.UserID, in keyPairIn, public string) (*command.KeyPairCreate, error) {
	k := in.KeyPair
	cmd := &command.KeyPairCreate{UserID: owner, Name: k.Name, Type: "ssh", PublicKey: strings.TrimSpace(public)}
	var err error
	if k.Type == "x509" {
		cmd.Type = k.Type
		cmd.Fingerprint, err = certificatePrint(cmd.PublicKey)
	} else {
		cmd.Fingerprint, err = sshPrint(cmd.PublicKey)
	}
	return cmd, err
}

func createKeyPair(c *rest.Call) (rest.Answer, error) {
	var in keyPairIn
	if err := parse(c, keyPairRule, &in); err != nil {
		return rest.Answer{}, err
	}
	owner, err := keyOwner(c, in.KeyPair.UserID, "create")
	if err != nil {
		return rest.Answer{}, err
	}
	var public, private string
	switch {
	case in.KeyPair.PublicKey != nil:
		public = *in.KeyPair.PublicKey
	case in.KeyPair.Type == "x509":
		return rest.Answer{}, invalid("Making X.509 certificates is not offered by this cloud: import one with public_key.")
	default:
		if public, private, err = newKey(); err != nil {
			return rest.Answer{}, err
		}
	}
	cmd, err := decideKeyPair(owner, in, public)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	k := c.View.KeyPair(owner, cmd.Name)
	if k == nil { // somebody deleted it right after
		return rest.Answer{}, noKeyPair(owner, cmd.Name)
	}
	out := renderKeyPair(c, k)
	out["user_id"] = owner
	if private != "" {
		out["private_key"] = private
	}
	status := http.StatusOK
	if c.Version.AtLeast(2) {
		status = http.StatusCreated
	}
	return rest.JSON(status, object{"keypair": out}), nil
}
