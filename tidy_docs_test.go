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
	docs := []string{"README.md", "ARCHITECTURE.md", "deploy/README.md", "docs/adding-an-operation.md", "docs/nouns.md"}
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
