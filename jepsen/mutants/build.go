package mutants

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// overlay writes the edited files of m below dir, and the file that tells the
// compiler to take them. root is the module's folder.
func (m Mutant) overlay(root, dir string) (string, error) {
	texts := map[string]string{}
	for _, e := range m.Edits {
		path := filepath.Join(root, e.File)
		text, ok := texts[path]
		if !ok {
			b, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			text = string(b)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return "", fmt.Errorf("%s: what is to be replaced in %s stands there %d times:\n%s", m.Name, e.File, n, e.Old)
		}
		texts[path] = strings.Replace(text, e.Old, e.New, 1)
	}
	replace := map[string]string{}
	for path, text := range texts {
		replace[path] = filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(path, root+"/"), "/", "_"))
		if err := os.WriteFile(replace[path], []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, b, 0o644)
}

// Build makes the broken program. root is the module's folder.
func (m Mutant) Build(ctx context.Context, root, binary string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutant-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, err := m.overlay(root, dir)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "go", "build", "-overlay", file, "-tags", "libvirt_dlopen,faults", "-o", binary, "./cmd/kvorum")
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", m.Name, err, out)
	}
	return nil
}
