package cluster

import (
	"context"
	"os"
	"path/filepath"

	"github.com/kvorum/kvorum/jepsen/disk"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// dataDir is a control node's data folder as the node sees it.
func dataDir(h *testbed.Host) string { return filepath.Join(h.DataDir(), "kvorum") }

// store is the folder behind the disk of a control node that has one.
func store(h *testbed.Host) string { return filepath.Join(h.DataDir(), "disk") }

// bytesOf is where a control node's files lie for the harness.
func (e *Env) bytesOf(h *testbed.Host) string {
	if e.Disks[h.Name()] != nil {
		return filepath.Join(store(h), "data")
	}
	return dataDir(h)
}

// mount gives a control node a disk that can be broken, before it first starts.
func (e *Env) mount(ctx context.Context, h *testbed.Host, seed uint64) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, dir := range []string{dataDir(h), store(h)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	o := disk.Options{Mount: dataDir(h), Store: store(h), Seed: seed}
	if _, err := h.Start("disk", append([]string{self}, o.Args()...)...); err != nil {
		return err
	}
	e.Disks[h.Name()], err = disk.Attach(ctx, o.Socket(), e.Clock)
	return err
}
