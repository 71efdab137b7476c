package hostagent

import (
	"encoding/json"
	"strings"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// apartFrom is the size, in bytes, above which an item of the desired state
// lies in a file of its own: so a change of one guest never writes the user
// data of all the others again.
const apartFrom = 4 << 10

const itemPrefix = "item-"

// page is the ledger's file of the desired state: all of it but the items that
// lie apart, and the names of those.
type page struct {
	assign.Desired
	Apart []assign.Item `json:"apart,omitempty"`
}

// pages are the desired state on disk. There is never a mixture of two: files
// of items are named after their content, those that are new are written before
// the page that names them, and those that no page names are removed after it.
type pages struct {
	disk  Disk
	sheet assign.Sheet
	files map[string]bool
}

func fileOf(i assign.Item) string { return itemPrefix + i.Digest[:min(len(i.Digest), 32)] }

// load reads the desired state; ok says that there is one. A damaged one is an
// error of kind Internal.
func (p *pages) load() (d assign.Desired, ok bool, err error) {
	const op = "hostagent.ledger.open"
	p.files = map[string]bool{}
	names, err := p.disk.List()
	if err != nil {
		return d, false, err
	}
	for _, name := range names {
		if strings.HasPrefix(name, itemPrefix) {
			p.files[name] = true
		}
	}
	b, err := p.disk.Load(desiredFile)
	if err != nil || b == nil {
		return d, false, err
	}
	var have page
	if err := json.Unmarshal(b, &have); err != nil {
		return d, false, errs.E(op, errs.Internal, "The ledger's desired state is damaged.", err)
	}
	for n := range have.Apart {
		if err := p.read(&have.Apart[n]); err != nil {
			return d, false, err
		}
	}
	d, err = have.Join(have.Apart)
	if err != nil {
		return d, false, errs.E(op, errs.Internal, "The ledger's desired state is damaged.", err)
	}
	p.sheet = assign.NewSheet(d)
	p.sweep(have.Apart)
	return d, true, nil
}

// read gives an item that lies apart its body.
func (p *pages) read(i *assign.Item) error {
	b, err := p.disk.Load(fileOf(*i))
	if err != nil {
		return err
	}
	var have assign.Item
	if err := json.Unmarshal(b, &have); err != nil || have.Ref != i.Ref || have.Digest != i.Digest {
		return errs.E("hostagent.ledger.open", errs.Internal, "The ledger's file "+fileOf(*i)+" is damaged or missing.", err)
	}
	i.Body = have.Body
	return nil
}

// save puts a desired state on disk. Only items that are new or changed are
// encoded anew, and of the large ones only those are written.
func (p *pages) save(d assign.Desired) error {
	sheet := p.sheet.Renew(d)
	var apart []assign.Item
	for _, s := range sheet.Sums {
		if s.Size <= apartFrom || s.Kind == assign.HeadItem {
			continue
		}
		name := s.Name()
		apart = append(apart, name)
		if p.files[fileOf(name)] {
			continue
		}
		if err := p.write(fileOf(name), sheet.Item(s.Ref)); err != nil {
			return err
		}
		p.files[fileOf(name)] = true
	}
	if err := p.write(desiredFile, page{d.Without(apart), apart}); err != nil {
		return err
	}
	p.sheet = sheet
	p.sweep(apart)
	return nil
}

func (p *pages) write(name string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return errs.E("hostagent.ledger.accept", errs.Internal, "", err)
	}
	return p.disk.Save(name, b)
}

// sweep removes the files of items that are no longer named. What cannot be
// removed now is tried again after the next page.
func (p *pages) sweep(named []assign.Item) {
	keep := map[string]bool{}
	for _, i := range named {
		keep[fileOf(i)] = true
	}
	for name := range p.files {
		if !keep[name] && p.disk.Remove(name) == nil {
			delete(p.files, name)
		}
	}
}
