package testbed

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/kvorum/kvorum/internal/errs"
)

// registryDir has one file per rack of this machine, named by its prefix: how
// Find and Sweep get from a prefix to a rack. It does not outlive a boot, and
// nor do namespaces and mounts.
const registryDir = "/run/kvorum-rack"

// envMarker is in the environment of all that a rack starts; its value is the
// rack's id.
const envMarker = "JEPSEN_RACK"

// state is the rack as written to Dir/rack.json, before each change.
type state struct {
	ID       string       `json:"id"`
	Prefix   string       `json:"prefix"`
	Dir      string       `json:"dir"`
	Range    netip.Prefix `json:"range"`
	External netip.Prefix `json:"external"`
	Uplink   bool         `json:"uplink"`
	QemuUser string       `json:"qemu_user,omitempty"`
	Own      []string     `json:"own,omitempty"`
	// Wired says that a Wire carries eth0.
	Wired bool `json:"wired,omitempty"`
	// Hosts in the order of their making; the outside is the first.
	Hosts []hostState `json:"hosts"`
}

type hostState struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address"`
	UUID    string     `json:"uuid"`
	// Processes by name, the last started under each.
	Processes map[string]processState `json:"processes,omitempty"`
}

type processState struct {
	PID int `json:"pid"`
	// Started is the kernel's start time of the process, in clock ticks since
	// boot: with PID it names one process for ever.
	Started uint64   `json:"started"`
	Argv    []string `json:"argv"`
}

// registration is what the registry says of a rack.
type registration struct {
	ID  string `json:"id"`
	Dir string `json:"dir"`
}

func registryFile(prefix string) string { return filepath.Join(registryDir, prefix+".json") }

// register claims the prefix. Conflict if it is taken.
func register(prefix string, reg registration) error {
	const op = "testbed.register"
	if err := os.MkdirAll(registryDir, 0o755); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	body, err := json.Marshal(reg)
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	// Written aside and linked: the file appears whole, and only if none is there.
	tmp, err := os.CreateTemp(registryDir, ".new-*")
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(body)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	err = os.Link(tmp.Name(), registryFile(prefix))
	if errors.Is(err, fs.ErrExist) {
		return errs.Errorf(op, errs.Conflict, "a rack with prefix %q exists; sweep it first", prefix)
	}
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	return nil
}

func unregister(prefix string) error {
	err := os.Remove(registryFile(prefix))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.E("testbed.unregister", errs.Internal, "", err)
	}
	// The folder goes with the last rack; not empty is no error.
	_ = os.Remove(registryDir)
	return nil
}

func lookup(prefix string) (registration, error) {
	const op = "testbed.find"
	var reg registration
	if !prefixRule.MatchString(prefix) {
		return reg, errs.Errorf(op, errs.Invalid, "prefix %q is not valid", prefix)
	}
	body, err := os.ReadFile(registryFile(prefix))
	if errors.Is(err, fs.ErrNotExist) {
		return reg, errs.Errorf(op, errs.NotFound, "there is no rack with prefix %q", prefix)
	}
	if err != nil {
		return reg, errs.E(op, errs.Internal, "", err)
	}
	if err := json.Unmarshal(body, &reg); err != nil {
		return reg, errs.E(op, errs.Internal, "", err)
	}
	return reg, nil
}

// Find gives the folder of the rack with the prefix. NotFound if none exists.
func Find(prefix string) (dir string, err error) {
	reg, err := lookup(prefix)
	return reg.Dir, err
}

func stateFile(dir string) string { return filepath.Join(dir, "rack.json") }

func loadState(dir string) (state, error) {
	const op = "testbed.load"
	var s state
	body, err := os.ReadFile(stateFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return s, errs.Errorf(op, errs.NotFound, "there is no rack in %s", dir)
	}
	if err != nil {
		return s, errs.E(op, errs.Internal, "", err)
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return s, errs.E(op, errs.Internal, "the rack's state cannot be read", err)
	}
	if s.Dir != dir {
		return s, errs.Errorf(op, errs.Conflict, "the state in %s is that of a rack in %s", dir, s.Dir)
	}
	return s, nil
}

// save replaces the state file as a whole.
func (s *state) save() error {
	const op = "testbed.save"
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	tmp := stateFile(s.Dir) + ".new"
	if err := os.WriteFile(tmp, body, 0o644); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	if err := os.Rename(tmp, stateFile(s.Dir)); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	return nil
}

// netns is the name of the network namespace of one host, or of the switch.
func (s *state) netns(name string) string { return s.Prefix + "-" + name }

func netnsPath(name string) string { return "/run/netns/" + name }

// pinDir is a private mount in which the hosts' mount and UTS namespaces are
// held, so that they live without a process in them.
func pinDir(dir string) string { return filepath.Join(dir, "ns") }

func (s *state) pin(host, kind string) string {
	return filepath.Join(pinDir(s.Dir), host+"."+kind)
}

func (s *state) hostDir(name string) string { return filepath.Join(s.Dir, "hosts", name) }

// uplinkName is the one link that a rack may have in the root namespace.
func (s *state) uplinkName() string { return s.Prefix + "-up" }
