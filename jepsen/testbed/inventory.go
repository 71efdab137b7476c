package testbed

import (
	"bytes"
	"context"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// Inventory is what of a machine's state a rack or a cloud could leave behind,
// one line a thing: processes that carry a rack's mark, are in a namespace of
// their own or are of the kinds that clouds start; network namespaces; links,
// nft rules and mounts of the root namespace; racks; files below some folders.
type Inventory []string

// inventoryFiles bounds the files listed; more than that is an error.
const inventoryFiles = 100_000

// TakeInventory looks at the machine, and at the files below the folders. A
// folder that does not exist has no files.
func TakeInventory(ctx context.Context, folders ...string) (Inventory, error) {
	inv := Inventory(processLines())
	for _, dir := range []struct{ kind, path string }{{"netns", "/run/netns"}, {"rack", registryDir}} {
		entries, err := os.ReadDir(dir.path)
		if err != nil && !os.IsNotExist(err) {
			return nil, errs.E("testbed.inventory", errs.Internal, "", err)
		}
		for _, e := range entries {
			inv = append(inv, dir.kind+" "+e.Name())
		}
	}
	links, err := net.Interfaces()
	if err != nil {
		return nil, errs.E("testbed.inventory", errs.Internal, "", err)
	}
	for _, l := range links {
		inv = append(inv, "link "+l.Name)
	}
	mounts, err := mountsBelow("/")
	if err != nil {
		return nil, err
	}
	for _, m := range mounts {
		// `ip netns` makes this one on its first use, for all time.
		if m != "/run/netns" {
			inv = append(inv, "mount "+m)
		}
	}
	rules, err := nftLines(ctx)
	if err != nil {
		return nil, err
	}
	inv = append(inv, rules...)
	files, err := fileLines(folders)
	if err != nil {
		return nil, err
	}
	inv = append(inv, files...)
	slices.Sort(inv)
	return inv, nil
}

// Mentioning keeps the lines that contain one of the words: one rack's, on a
// machine where others come and go.
func (inv Inventory) Mentioning(words ...string) Inventory {
	var kept Inventory
	for _, line := range inv {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) }) {
			kept = append(kept, line)
		}
	}
	return kept
}

// Diff lists what came ("+ ...") and what went ("- ...") from inv to later,
// sorted; empty if nothing did.
func (inv Inventory) Diff(later Inventory) []string {
	count := map[string]int{}
	for _, line := range inv {
		count[line]--
	}
	for _, line := range later {
		count[line]++
	}
	var diff []string
	for line, n := range count {
		for ; n > 0; n-- {
			diff = append(diff, "+ "+line)
		}
		for ; n < 0; n++ {
			diff = append(diff, "- "+line)
		}
	}
	slices.Sort(diff)
	return diff
}

// processLine bounds how much of a command line is shown.
const processLine = 400

// cloudPrograms are listed wherever they run.
var cloudPrograms = []string{"qemu-system", "libvirtd", "virtlogd", "virtlockd", "virtqemud", "dnsmasq", "kvorum"}

func processLines() []string {
	mine, _ := os.Readlink("/proc/self/ns/net")
	found := processes(func(pid string) bool {
		if at, err := os.Readlink("/proc/" + pid + "/ns/net"); err == nil && at != mine {
			return true
		}
		comm, _ := os.ReadFile("/proc/" + pid + "/comm")
		if slices.ContainsFunc(cloudPrograms, func(p string) bool { return bytes.HasPrefix(comm, []byte(p)) }) {
			return true
		}
		return hasEnv(pid, func(kv []byte) bool { return bytes.HasPrefix(kv, []byte(envMarker+"=")) })
	})
	var lines []string
	for _, m := range found {
		args, _ := os.ReadFile("/proc/" + strconv.Itoa(m.pid) + "/cmdline")
		if len(args) > processLine {
			args = args[:processLine]
		}
		text := string(bytes.TrimSpace(bytes.ReplaceAll(args, []byte{0}, []byte{' '})))
		lines = append(lines, "process "+m.comm+": "+text)
	}
	return lines
}

// nftLines gives each rule, set and chain of the root namespace with the table
// that it is in, without counters.
func nftLines(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "nft", "--stateless", "list", "ruleset").Output()
	if err != nil {
		return nil, errs.E("testbed.inventory", errs.Internal, "", err)
	}
	var lines []string
	table := ""
	for line := range strings.Lines(string(out)) {
		words := strings.TrimSpace(line)
		if strings.HasPrefix(line, "table ") {
			table = strings.TrimSuffix(strings.TrimPrefix(words, "table "), " {")
			lines = append(lines, "nft "+table)
		} else if words != "" && words != "}" {
			lines = append(lines, "nft "+table+": "+words)
		}
	}
	return lines, nil
}

func fileLines(folders []string) ([]string, error) {
	var lines []string
	for _, dir := range folders {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if len(lines) >= inventoryFiles {
				return errs.Errorf("testbed.inventory", errs.TooLarge, "more than %d files", inventoryFiles)
			}
			lines = append(lines, "file "+path)
			return nil
		})
		if err != nil {
			return nil, errs.E("testbed.inventory", errs.Internal, "", err)
		}
	}
	return lines, nil
}
