package netd

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Table is one nft table: what we want of it, or what is there. The wanted
// one has rules with text; of an observed one only what can be compared is
// known: chains' heads, each rule's comment, sets with their elements.
type Table struct {
	// Family is "bridge" or "ip".
	Family, Name string
	Counters     []string
	Sets         []Set
	Chains       []Chain
}

// Set is a named nft set, or a map.
type Set struct {
	Name string
	// Type is as nft prints it, e.g. "ifname . ether_addr".
	Type string
	// Value is the type of what a map leads to; empty for a set.
	Value string
	// Interval says that elements are ranges of addresses.
	Interval bool
	// Elements are as nft prints them, sorted; a map's are "key : value".
	Elements []string
}

// Chain is an ordered list of rules.
type Chain struct {
	Name string
	// Head is "type T hook H priority N; policy P;" for a chain that the kernel
	// calls, and empty for one that rules jump to. The priority is a number.
	Head  string
	Rules []Rule
}

// Rule is one line of a chain.
type Rule struct {
	// Text is the rule without comment; empty in an observed table.
	Text string
	// Comment is what the kernel keeps beside the rule: a digest of the text,
	// by which changed rules are found, and the reason, for people.
	Comment string
}

// rule makes a wanted rule.
func rule(why, text string) Rule {
	sum := sha256.Sum256([]byte(text))
	return Rule{Text: text, Comment: hex.EncodeToString(sum[:4]) + " " + why}
}

func (s *Set) add(element string) { s.Elements = append(s.Elements, element) }

// Key is "family name", as tables are keyed in a Space.
func (t Table) Key() string { return t.Family + " " + t.Name }

// Same tells whether an observed table does what the wanted one says. Rules
// are compared by their comments, so one that was removed, added or flushed by
// somebody shows.
func (t Table) Same(have Table) bool { return t.shape() == have.shape() }

// shape is all that can be compared, as text.
func (t Table) shape() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", t.Key(), strings.Join(sorted(t.Counters), ","))
	for _, s := range sortedBy(t.Sets, func(s Set) string { return s.Name }) {
		fmt.Fprintf(&b, "set %s %s:%s %v %s\n", s.Name, s.Type, s.Value, s.Interval, strings.Join(sorted(s.Elements), ","))
	}
	for _, c := range sortedBy(t.Chains, func(c Chain) string { return c.Name }) {
		fmt.Fprintf(&b, "chain %s %s\n", c.Name, c.Head)
		for _, r := range c.Rules {
			fmt.Fprintf(&b, " %s\n", r.Comment)
		}
	}
	return b.String()
}

// rebuild tells whether t can only be put in have's place after have is
// deleted: nft changes neither a chain's hook nor a set's type in place.
// Everything else is refilled in place, so that the counters live on.
func (t Table) rebuild(have Table) bool {
	for _, h := range have.Sets {
		i := slices.IndexFunc(t.Sets, func(s Set) bool { return s.Name == h.Name })
		if i < 0 || !t.Sets[i].alike(h) {
			return true
		}
	}
	for _, h := range have.Chains {
		i := slices.IndexFunc(t.Chains, func(c Chain) bool { return c.Name == h.Name })
		if i < 0 || t.Chains[i].Head != h.Head {
			return true
		}
	}
	for _, h := range have.Counters {
		if !slices.Contains(t.Counters, h) {
			return true
		}
	}
	return false
}

// alike tells whether two sets differ at most in their elements.
func (s Set) alike(o Set) bool {
	return s.Type == o.Type && s.Value == o.Value && s.Interval == o.Interval
}

// kind is how nft speaks of the set, and its type.
func (s Set) kind() (word, typ string) {
	if s.Value != "" {
		return "map", s.Type + " : " + s.Value
	}
	return "set", s.Type
}

// Script is the nft input that makes the table so, as one transaction,
// whatever of it is there. With rebuild the table is deleted first.
func (t Table) Script(rebuild bool) string {
	var b strings.Builder
	key := t.Key()
	fmt.Fprintf(&b, "add table %s\n", key)
	if rebuild {
		fmt.Fprintf(&b, "delete table %s\nadd table %s\n", key, key)
	}
	for _, c := range t.Counters {
		fmt.Fprintf(&b, "add counter %s %s\n", key, c)
	}
	for _, s := range t.Sets {
		flags := ""
		if s.Interval {
			flags = " flags interval;"
		}
		word, typ := s.kind()
		fmt.Fprintf(&b, "add %s %s %s { type %s;%s }\nflush %s %s %s\n", word, key, s.Name, typ, flags, word, key, s.Name)
		if len(s.Elements) > 0 {
			fmt.Fprintf(&b, "add element %s %s { %s }\n", key, s.Name, strings.Join(s.Elements, ", "))
		}
	}
	// All chains before all rules: a jump needs its target.
	for _, c := range t.Chains {
		head := ""
		if c.Head != "" {
			head = " { " + c.Head + " }"
		}
		fmt.Fprintf(&b, "add chain %s %s%s\nflush chain %s %s\n", key, c.Name, head, key, c.Name)
	}
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			fmt.Fprintf(&b, "add rule %s %s %s comment \"%s\"\n", key, c.Name, r.Text, r.Comment)
		}
	}
	return b.String()
}
