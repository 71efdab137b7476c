package kvorum

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// quoted are the words in backticks that may be paths.
var quoted = regexp.MustCompile("`([a-z][\\w.*-]*/[\\w./*-]+)`")

// TestDocsNameWhatIsThere follows the paths in the documents that people start
// from: one that leads nowhere misleads.
func TestDocsNameWhatIsThere(t *testing.T) {
	docs := []string{"README.md", "ARCHITECTURE.md", "deploy/README.md", "docs/adding-an-operation.md", "docs/nouns.md", "docs/reliability.md", "jepsen/README.md"}
	followed := 0
	for _, doc := range docs {
		b, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllStringSubmatch(string(b), -1) {
			top, _, _ := strings.Cut(m[1], "/")
			if _, err := os.Stat(top); err != nil || top == "bin" || top == "out" {
				continue // a path of somewhere else, or of what is built
			}
			followed++
			if found, err := filepath.Glob(m[1]); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", doc, m[1])
			}
		}
	}
	if followed < 50 {
		t.Errorf("followed only %d paths: the pattern is wrong", followed)
	}
}

var (
	ticked     = regexp.MustCompile("`([^`\n]+)`")
	testName   = regexp.MustCompile(`^Test\w+$`)
	family     = regexp.MustCompile(`^[TS]\d+$`)
	sentence   = regexp.MustCompile(`^[a-z]+( [a-z]+)+$`)
	hyphenated = regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)
)

// TestPromisesAreShown: what docs/reliability.md names as the proof of a promise
// is there: the tests, in the files that it says, the families of the fault
// harness, its mutants, and the checkers of the simulator.
func TestPromisesAreShown(t *testing.T) {
	b, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	words, _, _ := strings.Cut(string(b), "## Last results")
	families, mutants, checkers := textOf(t, "jepsen/cluster/*.go"), textOf(t, "jepsen/mutants/list.go"), textOf(t, "jepsen/sim/*.go")
	seen := map[string]int{}
	for _, paragraph := range strings.Split(words, "\n\n") {
		var tests []string // that wait for the name of their file
		for _, m := range ticked.FindAllStringSubmatch(paragraph, -1) {
			word := m[1]
			switch {
			case testName.MatchString(word):
				tests = append(tests, word)
			case strings.HasSuffix(word, "_test.go"):
				text := textOf(t, word)
				for _, name := range tests {
					seen["test"]++
					if !strings.Contains(text, "func "+name+"(") {
						t.Errorf("%s is not in %s", name, word)
					}
				}
				tests = nil
			case family.MatchString(word):
				seen["family"]++
				if !strings.Contains(families, "{ID: \""+word+"\"") {
					t.Errorf("there is no family %s", word)
				}
			case hyphenated.MatchString(word):
				seen["mutant"]++
				if !strings.Contains(mutants, "Name: \""+word+"\"") {
					t.Errorf("there is no mutant %s", word)
				}
			case sentence.MatchString(word) && !strings.HasPrefix(word, "make "):
				seen["checker"]++
				if !strings.Contains(checkers, "\""+word+"\"") {
					t.Errorf("the simulator has no checker %q", word)
				}
			}
		}
		if len(tests) > 0 {
			t.Errorf("it does not say in which file %v are", tests)
		}
	}
	for kind, least := range map[string]int{"test": 30, "family": 12, "mutant": 12, "checker": 8} {
		if seen[kind] < least {
			t.Errorf("found only %d names of a %s: the pattern is wrong", seen[kind], kind)
		}
	}
}

// textOf is the text of all files that fit, joined.
func textOf(t *testing.T, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Errorf("%s is not there: %v", pattern, err)
	}
	var all strings.Builder
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		all.Write(b)
	}
	return all.String()
}

// TestDecisionsSayWhenToThinkAgain: a decision without its question, or without
// what would end it, is a rule that nobody may touch.
func TestDecisionsSayWhenToThinkAgain(t *testing.T) {
	pages, err := filepath.Glob("docs/decisions/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatalf("found only %d decisions, %v", len(pages), err)
	}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if strings.Contains(text, "**Superseded**") {
			continue
		}
		for _, part := range []string{"**Problem.**", "**What would change our mind.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q", page, part)
			}
		}
		if !strings.Contains(text, "**Options.**") && !strings.Contains(text, "**Not chosen.**") && !strings.Contains(text, "| ") {
			t.Errorf("%s does not say what else there was", page)
		}
	}
}

// TestEveryRoomIsOnTheMap: whoever looks for something begins there.
func TestEveryRoomIsOnTheMap(t *testing.T) {
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]bool{}
	for _, s := range sources(t) {
		dirs[s.dir] = s.dir != "." && (dirs[s.dir] || !s.test)
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if dirs[dir] && !strings.Contains(string(b), "`"+dir+"`") {
			t.Errorf("%s has no row in ARCHITECTURE.md: because a room that is not on the map is built twice", dir)
		}
	}
}
