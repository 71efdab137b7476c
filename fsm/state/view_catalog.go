package state

import (
	"iter"

	"github.com/kvorum/kvorum/internal/model"
)

// Flavor finds a flavor.
func (v View) Flavor(id model.FlavorID) *model.Flavor { return v.t.flavors.get(model.Flavor{ID: id}) }

// FlavorNamed finds a flavor by name.
func (v View) FlavorNamed(name string) *model.Flavor {
	return v.t.flavors.first(flavorsByName, model.Flavor{Name: name})
}

// Flavors lists all flavors.
func (v View) Flavors() iter.Seq[*model.Flavor] { return v.t.flavors.all() }

// PutFlavor stores a flavor.
func (tx *Tx) PutFlavor(f *model.Flavor) { tx.t.flavors.put(f) }

// DeleteFlavor removes a flavor.
func (tx *Tx) DeleteFlavor(id model.FlavorID) { tx.t.flavors.delete(&model.Flavor{ID: id}) }

// KeyPair finds a user's key pair.
func (v View) KeyPair(u model.UserID, name string) *model.KeyPair {
	return v.t.keyPairs.get(model.KeyPair{UserID: u, Name: name})
}

// KeyPairsOf lists a user's key pairs by name.
func (v View) KeyPairsOf(u model.UserID) iter.Seq[*model.KeyPair] {
	return v.t.keyPairs.from(&model.KeyPair{UserID: u}, func(k *model.KeyPair) bool { return k.UserID == u })
}

// KeyPairs lists all key pairs.
func (v View) KeyPairs() iter.Seq[*model.KeyPair] { return v.t.keyPairs.all() }

// PutKeyPair stores a key pair.
func (tx *Tx) PutKeyPair(k *model.KeyPair) { tx.t.keyPairs.put(k) }

// DeleteKeyPair removes a key pair.
func (tx *Tx) DeleteKeyPair(u model.UserID, name string) {
	tx.t.keyPairs.delete(&model.KeyPair{UserID: u, Name: name})
}

// Image finds an image.
func (v View) Image(id model.ImageID) *model.Image { return v.t.images.get(model.Image{ID: id}) }

// Images lists all images.
func (v View) Images() iter.Seq[*model.Image] { return v.t.images.all() }

// ImagesOf lists a project's images.
func (v View) ImagesOf(p model.ProjectID) iter.Seq[*model.Image] {
	return v.t.images.where(imagesByOwner, &model.Image{ProjectID: p})
}

// ImagesWithBytes lists the images whose bytes have this SHA-256.
func (v View) ImagesWithBytes(sha256 string) iter.Seq[*model.Image] {
	return v.t.images.where(imagesByBytes, &model.Image{SHA256: sha256})
}

// PutImage stores an image.
func (tx *Tx) PutImage(i *model.Image) { tx.t.images.put(i) }

// DeleteImage removes an image.
func (tx *Tx) DeleteImage(id model.ImageID) { tx.t.images.delete(&model.Image{ID: id}) }

// QuotaRow finds a project's own limit of a resource; nil means the default.
func (v View) QuotaRow(p model.ProjectID, resource string) *model.Quota {
	return v.t.quotas.get(model.Quota{ProjectID: p, Resource: resource})
}

// Quotas lists all limits that projects have of their own.
func (v View) Quotas() iter.Seq[*model.Quota] { return v.t.quotas.all() }

// PutQuota stores a limit.
func (tx *Tx) PutQuota(q *model.Quota) { tx.t.quotas.put(q) }

// DeleteQuota removes a limit; the default holds again.
func (tx *Tx) DeleteQuota(p model.ProjectID, resource string) {
	tx.t.quotas.delete(&model.Quota{ProjectID: p, Resource: resource})
}

// Usages lists what projects have.
func (v View) Usages() iter.Seq[*model.Usage] { return v.t.usages.all() }
