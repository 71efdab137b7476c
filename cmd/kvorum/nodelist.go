package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// nodesFile holds the control nodes that an agent knew of last.
	nodesFile = "control-nodes.json"
	// learnEvery is how often an agent looks whether there are others.
	learnEvery = 5 * time.Second
)

// nodeList is where an agent finds control nodes: those that its settings name,
// then those that control nodes told it of, then those that gossip found. What it
// was told outlives the process: when it starts again, all that its token named
// may be gone. It is safe for concurrent use.
type nodeList struct {
	file  string
	fixed []string

	mu      sync.Mutex
	learned []string
	found   []string
}

// maxFound bounds the control nodes that are known by gossip alone.
const maxFound = 32

func openNodeList(file string, fixed []string) (*nodeList, error) {
	l := &nodeList{file: file, fixed: fixed}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &l.learned)
	}
	if err != nil {
		return nil, errs.E("agent.nodes", errs.Invalid, file+" cannot be read", err)
	}
	return l, nil
}

// all lists host:port, without repetition.
func (l *nodeList) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, a := range slices.Concat(l.fixed, l.learned, l.found) {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// learn replaces what was learned before. No addresses are no news.
func (l *nodeList) learn(addresses []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	addresses = slices.Sorted(slices.Values(addresses))
	if len(addresses) == 0 || slices.Equal(addresses, l.learned) {
		return nil
	}
	if err := replaceFile(l.file, addresses); err != nil {
		return err
	}
	l.learned = addresses
	return nil
}

// find replaces what gossip found before. No addresses are no news.
func (l *nodeList) find(addresses []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(addresses) > 0 {
		l.found = addresses[:min(len(addresses), maxFound)]
	}
}

// replaceFile puts a value, as JSON, in a file that its owner alone may read:
// whole or not at all.
func replaceFile(file string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return errs.E("agent.replace", errs.Internal, "", err)
	}
	f, err := os.OpenFile(file+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.Write(b)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return errs.E("agent.replace", errs.Internal, file+" cannot be written", err)
	}
	return nil
}
