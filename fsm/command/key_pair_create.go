package command

import (
	"fmt"
	"regexp"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// KeyPairCreate stores a user's public key (Compute API, "Create Or Import
// Keypair").
//
// Rules: the actor is that user or an administrator; the user is there; name,
// type and key are well-formed; the user has fewer than state.MaxKeyPairs; the
// name is new for the user.
type KeyPairCreate struct {
	UserID model.UserID `json:"user_id"`
	Name   string       `json:"name"`
	// Type is ssh or x509.
	Type        string `json:"type"`
	PublicKey   string `json:"public_key"`
	Fingerprint string `json:"fingerprint"`
}

// Kind implements Command.
func (*KeyPairCreate) Kind() string { return "key_pair.create/1" }

// maxPublicKey bounds a public key or certificate, in bytes.
const maxPublicKey = 16 << 10

// keyPairName is the form of the newest microversion; older ones allow less.
var keyPairName = regexp.MustCompile(`^[a-zA-Z0-9_ @.-]{1,255}$`)

// Apply implements Command.
func (c *KeyPairCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "key_pair.create"
	if !sameUser(m.By, c.UserID) {
		return nil, refuse(op, errs.NotFound, "Could not find user: %s.", c.UserID)
	}
	if _, err := findUser(tx, c.UserID); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(collect(tx.KeyPairsOf(c.UserID))) >= state.MaxKeyPairs {
		return nil, refuse(op, errs.Quota, "Quota exceeded, too many key pairs.")
	}
	if tx.KeyPair(c.UserID, c.Name) != nil {
		return nil, refuse(op, errs.Conflict, "Key pair '%s' already exists.", c.Name)
	}
	tx.PutKeyPair(&model.KeyPair{UserID: c.UserID, Name: c.Name, Num: tx.Next(lastKeyPair), Type: c.Type,
		PublicKey: c.PublicKey, Fingerprint: c.Fingerprint, CreatedAt: m.At})
	return []string{c.Name}, nil
}

func (c *KeyPairCreate) check() error {
	const op = "key_pair.create"
	if !keyPairName.MatchString(c.Name) {
		return refuse(op, errs.Invalid, "Keypair data is invalid: Keypair name contains unsafe characters or is not 1 to 255 characters long")
	}
	if c.Type != "ssh" && c.Type != "x509" {
		return refuse(op, errs.Invalid, "Keypair data is invalid: the type is ssh or x509, not '%s'", c.Type)
	}
	if c.PublicKey == "" || c.Fingerprint == "" {
		return refuse(op, errs.Invalid, "Keypair data is invalid: failed to generate fingerprint")
	}
	if len(c.PublicKey) > maxPublicKey {
		return refuse(op, errs.Invalid, "Keypair data is invalid: the key has %d bytes; the limit is %d", len(c.PublicKey), maxPublicKey)
	}
	if err := invalid(op, model.CheckText("public key", c.PublicKey, maxPublicKey)); err != nil {
		return err
	}
	return invalid(op, model.CheckText("fingerprint", c.Fingerprint, model.MaxName))
}

// sameUser tells whether the actor may act on what belongs to a user: its own,
// or anything for administrators and the system.
func sameUser(by By, owner model.UserID) bool {
	return by.System != "" || by.Admin || by.UserID == owner
}

func exampleKeyPairCreate() *KeyPairCreate {
	return &KeyPairCreate{UserID: "000000000000000000000000000000b1", Name: "laptop", Type: "ssh",
		PublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA laptop", Fingerprint: "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"}
}

func workKeyPairCreate(g Gen) (Command, By, bool) {
	by, ok := anybody(g)
	return &KeyPairCreate{UserID: by.UserID, Name: fmt.Sprintf("key-%d", g.Intn(150)), Type: "ssh",
		PublicKey: "ssh-ed25519 " + g.Hex(), Fingerprint: g.Hex()}, by, ok
}
