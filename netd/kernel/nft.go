package kernel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/kvorum/kvorum/netd"
)

// nftTimeout bounds one run of nft; a host with a thousand ports needs well
// under a second.
const nftTimeout = 30 * time.Second

// nft runs the command in the thread's namespace.
func nft(ctx context.Context, input string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, nftTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nft", args...)
	cmd.Stdin = strings.NewReader(input)
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("nft %s: %w: %s", strings.Join(args, " "), err, firstLine(bad.String()))
	}
	return out.String(), nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// listing is an observed table.
type listing struct {
	there   bool
	table   netd.Table
	packets map[string]uint64
}

// object is one line of nft's JSON (libnftables-json(5)); exactly one field
// is set.
type object struct {
	Counter *struct {
		Name    string `json:"name"`
		Packets uint64 `json:"packets"`
	} `json:"counter"`
	Set   *set `json:"set"`
	Map   *set `json:"map"`
	Chain *struct {
		Name   string `json:"name"`
		Type   string `json:"type"`
		Hook   string `json:"hook"`
		Prio   int    `json:"prio"`
		Policy string `json:"policy"`
	} `json:"chain"`
	Rule *struct {
		Chain   string `json:"chain"`
		Comment string `json:"comment"`
	} `json:"rule"`
}

// set is a set, or a map.
type set struct {
	Name string          `json:"name"`
	Type json.RawMessage `json:"type"`
	// Map is the type of a map's values.
	Map   json.RawMessage   `json:"map"`
	Flags []string          `json:"flags"`
	Elem  []json.RawMessage `json:"elem"`
}

// listTable observes one table in the thread's namespace.
func listTable(ctx context.Context, family, name string) (listing, error) {
	out, err := nft(ctx, "", "-j", "list", "table", family, name)
	if err != nil && strings.Contains(err.Error(), "No such file or directory") {
		return listing{}, nil
	}
	if err != nil {
		return listing{}, err
	}
	return parseTable(family, name, []byte(out))
}

func parseTable(family, name string, out []byte) (listing, error) {
	var doc struct {
		Objects []object `json:"nftables"`
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		return listing{}, fmt.Errorf("nft's JSON: %w", err)
	}
	l := listing{there: true, table: netd.Table{Family: family, Name: name}, packets: map[string]uint64{}}
	for _, o := range doc.Objects {
		if err := l.add(o); err != nil {
			return listing{}, err
		}
	}
	return l, nil
}

func (l *listing) add(o object) error {
	switch {
	case o.Counter != nil:
		l.table.Counters = append(l.table.Counters, o.Counter.Name)
		l.packets[o.Counter.Name] = o.Counter.Packets
	case o.Set != nil:
		return l.addSet(*o.Set, " . ")
	case o.Map != nil:
		return l.addSet(*o.Map, " : ")
	case o.Chain != nil:
		c := netd.Chain{Name: o.Chain.Name}
		if o.Chain.Hook != "" {
			c.Head = fmt.Sprintf("type %s hook %s priority %d; policy %s;",
				o.Chain.Type, o.Chain.Hook, o.Chain.Prio, o.Chain.Policy)
		}
		l.table.Chains = append(l.table.Chains, c)
	case o.Rule != nil:
		for i, c := range l.table.Chains {
			if c.Name == o.Rule.Chain {
				l.table.Chains[i].Rules = append(c.Rules, netd.Rule{Comment: o.Rule.Comment})
			}
		}
	}
	return nil
}

// addSet adds a set, or a map. between stands in a list that is an element: a
// map's is a key and its value.
func (l *listing) addSet(o set, between string) error {
	s := netd.Set{Name: o.Name, Interval: slices.Contains(o.Flags, "interval")}
	var err error
	if s.Type, err = words(o.Type, " . "); err != nil {
		return err
	}
	if o.Map != nil {
		if s.Value, err = words(o.Map, " . "); err != nil {
			return err
		}
	}
	for _, e := range o.Elem {
		text, err := words(e, between)
		if err != nil {
			return err
		}
		s.Elements = append(s.Elements, text)
	}
	slices.Sort(s.Elements)
	l.table.Sets = append(l.table.Sets, s)
	return nil
}

// words prints a set's type or element as nft's own language has it: a
// string, a list of types, a concatenation or a prefix.
func words(raw json.RawMessage, between string) (string, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one, nil
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, between), nil
	}
	var deep struct {
		Concat []string `json:"concat"`
		Prefix *struct {
			Addr string `json:"addr"`
			Len  int    `json:"len"`
		} `json:"prefix"`
	}
	if err := json.Unmarshal(raw, &deep); err != nil {
		return "", fmt.Errorf("nft's JSON: element %s: %w", raw, err)
	}
	switch {
	case deep.Prefix != nil:
		return fmt.Sprintf("%s/%d", deep.Prefix.Addr, deep.Prefix.Len), nil
	case deep.Concat != nil:
		return strings.Join(deep.Concat, " . "), nil
	}
	// Something that we never put there: shown as it is, so that it differs.
	return string(raw), nil
}
