package command

import (
	"fmt"
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// TagsChange changes the tags of a network, subnet, port or router (Networking
// API v2, "Standard attributes tag extension").
//
// Rules: the thing is the actor's; exactly one of Set, Add and Remove is given;
// a tag to be removed is there; tags have 1 to model.MaxName printable
// characters, each stands once, and there are at most MaxTags. One that is
// added a second time changes nothing.
type TagsChange struct {
	// Thing is "network", "subnet", "port" or "router".
	Thing string `json:"thing"`
	ID    string `json:"id"`
	// Set replaces all tags.
	Set    *[]string `json:"set,omitempty"`
	Add    string    `json:"add,omitempty"`
	Remove string    `json:"remove,omitempty"`
}

// Kind implements Command.
func (*TagsChange) Kind() string { return "tags.change/1" }

// MaxTags bounds the tags of one thing.
const MaxTags = 50

// Apply implements Command.
func (c *TagsChange) Apply(tx *state.Tx, m Meta) ([]string, error) {
	switch c.Thing {
	case "network":
		n, err := findNetwork(tx, m.By, model.NetworkID(c.ID))
		return retag(c, m, n, err, tx.PutNetwork, (*model.Network).Clone,
			func(n *model.Network) mark { return mark{&n.Tags, &n.Revision, &n.UpdatedAt} })
	case "subnet":
		s, err := findSubnet(tx, m.By, model.SubnetID(c.ID))
		return retag(c, m, s, err, tx.PutSubnet, (*model.Subnet).Clone,
			func(s *model.Subnet) mark { return mark{&s.Tags, &s.Revision, &s.UpdatedAt} })
	case "port":
		p, err := findPort(tx, m.By, model.PortID(c.ID))
		return retag(c, m, p, err, tx.PutPort, (*model.Port).Clone,
			func(p *model.Port) mark { return mark{&p.Tags, &p.Revision, &p.UpdatedAt} })
	case "router":
		r, err := findRouter(tx, m.By, model.RouterID(c.ID))
		return retag(c, m, r, err, tx.PutRouter, (*model.Router).Clone,
			func(r *model.Router) mark { return mark{&r.Tags, &r.Revision, &r.UpdatedAt} })
	}
	return nil, refuse("tags.change", errs.Invalid, "there is no sort of thing %q that has tags", c.Thing)
}

// mark is what a change of tags touches of a row.
type mark struct {
	tags     *[]string
	revision *uint64
	updated  *int64
}

// retag changes the tags of a row that was found, if it was.
func retag[T any](c *TagsChange, m Meta, old *T, err error, put func(*T), clone func(*T) *T, marks func(*T) mark) ([]string, error) {
	if err != nil {
		return nil, err
	}
	row := clone(old)
	at := marks(row)
	tags, err := c.changed(*at.tags)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(tags, *at.tags) {
		*at.tags, *at.revision, *at.updated = tags, *at.revision+1, m.At
		put(row)
	}
	return []string{c.ID}, nil
}

// changed is what becomes of a thing's tags.
func (c *TagsChange) changed(old []string) ([]string, error) {
	const op = "tags.change"
	var tags []string
	switch {
	case c.Set != nil && c.Add == "" && c.Remove == "":
		tags = slices.Sorted(slices.Values(*c.Set))
	case c.Set == nil && c.Add != "" && c.Remove == "":
		at, has := slices.BinarySearch(old, c.Add)
		if has {
			return old, nil
		}
		tags = slices.Insert(slices.Clone(old), at, c.Add)
	case c.Set == nil && c.Add == "" && c.Remove != "":
		at, has := slices.BinarySearch(old, c.Remove)
		if !has {
			return nil, refuse(op, errs.NotFound, "Tag %s could not be found.", c.Remove)
		}
		tags = slices.Delete(slices.Clone(old), at, at+1)
	default:
		return nil, refuse(op, errs.Invalid, "tags are either set, added or removed")
	}
	return tags, checkTags(op, tags)
}

// checkTags checks tags in order.
func checkTags(op string, tags []string) error {
	if len(tags) > MaxTags {
		return refuse(op, errs.Invalid, "Invalid input for tags. Reason: %d tags are more than %d.", len(tags), MaxTags)
	}
	for i, t := range tags {
		if i > 0 && tags[i-1] == t {
			return refuse(op, errs.Invalid, "Invalid input for tags. Reason: '%s' stands twice.", t)
		}
		if err := model.CheckName("tag", t); err != nil {
			return refuse(op, errs.Invalid, "Invalid input for tags. Reason: %s.", err)
		}
	}
	return nil
}

func exampleTagsChange() *TagsChange {
	return &TagsChange{Thing: "network", ID: "00000000-0000-4000-8000-0000000000e1", Set: &[]string{"blue", "prod"}}
}

func workTagsChange(g Gen) (Command, By, bool) {
	v := g.View()
	c := &TagsChange{Add: fmt.Sprintf("t-%d", g.Intn(5))}
	var owner model.ProjectID
	var have bool
	switch g.Intn(4) {
	case 0:
		var x *model.Network
		if x, have = pick(g, v.Networks()); have {
			c.Thing, c.ID, owner = "network", string(x.ID), x.ProjectID
		}
	case 1:
		var x *model.Subnet
		if x, have = pick(g, v.Subnets()); have {
			c.Thing, c.ID, owner = "subnet", string(x.ID), x.ProjectID
		}
	case 2:
		var x *model.Port
		if x, have = pick(g, v.Ports()); have {
			c.Thing, c.ID, owner = "port", string(x.ID), x.ProjectID
		}
	case 3:
		var x *model.Router
		if x, have = pick(g, v.Routers()); have {
			c.Thing, c.ID, owner = "router", string(x.ID), x.ProjectID
		}
	}
	switch g.Intn(4) {
	case 0:
		c.Set, c.Add = &[]string{"a", c.Add}, ""
	case 1:
		c.Remove, c.Add = c.Add, ""
	}
	by, ok := ownerOf(g, owner)
	return c, by, ok && have
}
