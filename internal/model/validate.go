package model

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest name of anything, in characters.
const MaxName = 255

// CheckName tells what is wrong with a name: it must have 1 to MaxName
// printable characters. what names the field in the answer.
func CheckName(what, s string) error {
	if s == "" {
		return fmt.Errorf("%s must not be empty", what)
	}
	return CheckText(what, s, MaxName)
}

// CheckText tells what is wrong with a text that may be empty: it must be
// valid UTF-8 of at most max characters, all printable (spaces are).
func CheckText(what, s string, max int) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not valid UTF-8", what)
	}
	if n := utf8.RuneCountInString(s); n > max {
		return fmt.Errorf("%s has %d characters; the limit is %d", what, n, max)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) && r != '\n' && r != '\r' && r != '\t' {
			return fmt.Errorf("%s has the unprintable character %U", what, r)
		}
	}
	return nil
}

// CheckMap tells what is wrong with a map of user-given texts.
func CheckMap(what string, m map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if err := CheckName(what+" key", k); err != nil {
			return err
		}
		if err := CheckText(what+" value", m[k], MaxName); err != nil {
			return err
		}
	}
	return nil
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)

// CheckNodeName tells what is wrong with a node's name: it has 1 to 64 letters,
// digits, dots, dashes and underscores, as a certificate's common name takes
// them, and a letter or digit at both ends.
func CheckNodeName(s string) error {
	if !nodeName.MatchString(s) {
		return fmt.Errorf("a node's name has 1 to 64 letters, digits, dots, dashes and underscores, and begins and ends with a letter or digit; %.80q has not", s)
	}
	return nil
}
