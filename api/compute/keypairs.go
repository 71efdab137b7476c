package compute

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// maxKey bounds a public key, in bytes.
const maxKey = 16 << 10

func renderKeyPair(c *rest.Call, k *model.KeyPair) object {
	out := object{"name": k.Name, "public_key": k.PublicKey, "fingerprint": k.Fingerprint}
	if c.Version.AtLeast(2) {
		out["type"] = k.Type
	}
	return out
}

// keyOwner is whose key pairs are meant: an administrator may name another
// user from 2.10 on.
func keyOwner(c *rest.Call, asked string) (model.UserID, error) {
	own := c.Caller.User.ID
	if asked == "" || model.UserID(asked) == own || !c.Version.AtLeast(10) {
		return own, nil
	}
	if !c.Caller.Admin() {
		return "", errs.Errorf("compute.key", errs.Forbidden, "Policy doesn't allow os_compute_api:os-keypairs to be performed.")
	}
	return model.UserID(asked), nil
}

func listKeyPairs(c *rest.Call) (rest.Answer, error) {
	owner, err := keyOwner(c, c.Query("user_id"))
	if err != nil {
		return rest.Answer{}, err
	}
	out := []object{}
	for k := range c.View.KeyPairsOf(owner) {
		out = append(out, object{"keypair": renderKeyPair(c, k)})
	}
	return rest.JSON(http.StatusOK, object{"keypairs": out}), nil
}

func findKeyPair(c *rest.Call) (*model.KeyPair, error) {
	owner, err := keyOwner(c, c.Query("user_id"))
	if err != nil {
		return nil, err
	}
	k := c.View.KeyPair(owner, c.Param("name"))
	if k == nil {
		return nil, errs.Errorf("compute.key", errs.NotFound, "Keypair %s not found for user %s", c.Param("name"), owner)
	}
	return k, nil
}

func showKeyPair(c *rest.Call) (rest.Answer, error) {
	k, err := findKeyPair(c)
	if err != nil {
		return rest.Answer{}, err
	}
	out := renderKeyPair(c, k)
	out["user_id"], out["id"], out["created_at"] = k.UserID, k.Num, micro(k.CreatedAt)
	out["updated_at"], out["deleted"], out["deleted_at"] = nil, false, nil
	return rest.JSON(http.StatusOK, object{"keypair": out}), nil
}

func deleteKeyPair(c *rest.Call) (rest.Answer, error) {
	k, err := findKeyPair(c)
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

var keyName = regexp.MustCompile(`^[_\- a-zA-Z0-9]{1,255}$`)

func createKeyPair(c *rest.Call) (rest.Answer, error) {
	var in struct {
		KeyPair struct {
			Name      string  `json:"name"`
			PublicKey *string `json:"public_key"`
			Type      string  `json:"type"`
			UserID    string  `json:"user_id"`
		} `json:"keypair"`
	}
	if err := c.Decode(&in, true); err != nil {
		return rest.Answer{}, err
	}
	k := in.KeyPair
	if !keyName.MatchString(k.Name) || strings.TrimSpace(k.Name) != k.Name {
		return rest.Answer{}, badInput("name", k.Name, "Keypair name contains unsafe characters")
	}
	if k.Type != "" && k.Type != "ssh" {
		return rest.Answer{}, errs.Errorf("compute.key", errs.NotImplemented, "Only key pairs of type ssh are offered.")
	}
	owner, err := keyOwner(c, k.UserID)
	if err != nil {
		return rest.Answer{}, err
	}
	private := ""
	if k.PublicKey == nil {
		public, secret, err := newKey()
		if err != nil {
			return rest.Answer{}, err
		}
		k.PublicKey, private = &public, secret
	}
	print, err := fingerprint(*k.PublicKey)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.KeyPairCreate{UserID: owner, Name: k.Name, Type: "ssh", PublicKey: *k.PublicKey, Fingerprint: print}); err != nil {
		return rest.Answer{}, err
	}
	out := renderKeyPair(c, c.View.KeyPair(owner, k.Name))
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

// fingerprint is the MD5 of a public key's blob, as clients show it.
func fingerprint(public string) (string, error) {
	if len(public) > maxKey {
		return "", invalid("Keypair data is invalid: it has more than %d bytes", maxKey)
	}
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(public))
	if err != nil || len(rest) > 0 {
		return "", invalid("Keypair data is invalid: failed to generate fingerprint")
	}
	sum := md5.Sum(key.Marshal())
	var parts []string
	for _, b := range sum {
		parts = append(parts, hex.EncodeToString([]byte{b}))
	}
	return strings.Join(parts, ":"), nil
}

// newKey makes an RSA key of 2048 bits, as Nova does.
func newKey() (public, private string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", errs.E("compute.key", errs.Internal, "", err)
	}
	pub, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", errs.E("compute.key", errs.Internal, "", err)
	}
	private = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub))) + " Generated-by-Kvorum", private, nil
}
