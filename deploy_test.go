package kvorum

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unitKeys are the settings that our units may have: systemd ignores one that
// it does not know, so a misspelt one guards nothing.
var unitKeys = map[string][]string{
	"Unit": {"Description", "Documentation", "After", "Wants"},
	"Service": {"Type", "ExecStart", "User", "Group", "StateDirectory", "StateDirectoryMode", "Restart", "RestartSec", "KillMode",
		"TimeoutStopSec", "LimitNOFILE", "NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices",
		"ProtectKernelTunables", "ProtectKernelModules", "ProtectControlGroups", "RestrictAddressFamilies", "RestrictNamespaces",
		"CapabilityBoundingSet", "SystemCallArchitectures"},
	"Install": {"WantedBy"},
}

// readUnit gives a unit's values by section and key, "Unit.After".
func readUnit(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	unit, section := map[string]string{}, ""
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || !slices.Contains(unitKeys[section], key) {
			t.Errorf("%s:%d: %q is no setting of [%s] that we know", file, i+1, line, section)
		}
		if _, twice := unit[section+"."+key]; twice {
			t.Errorf("%s:%d: %s is set twice", file, i+1, key)
		}
		unit[section+"."+key] = value
	}
	return unit
}

func TestUnits(t *testing.T) {
	readme, err := os.ReadFile("deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"control", "agent"} {
		u := readUnit(t, "deploy/kvorum-"+role+".service")
		if want := "/usr/local/bin/kvorum " + role + " --config /etc/kvorum/" + role + ".toml"; u["Service.ExecStart"] != want {
			t.Errorf("%s runs %q, want %q", role, u["Service.ExecStart"], want)
		}
		for _, file := range []string{"deploy/" + role + ".toml", "deploy/kvorum-" + role + ".service", "/usr/local/bin/kvorum", "/etc/kvorum/" + role + ".toml"} {
			if !strings.Contains(string(readme), file) {
				t.Errorf("deploy/README.md does not tell where %s goes", file)
			}
		}
	}
	// The order of stopping is that of starting, backwards. The agent must be
	// gone before anything stops guests: it would take them for switched off by
	// their users (see TestHostShutdown of hostagent).
	agent := readUnit(t, "deploy/kvorum-agent.service")
	for _, first := range []string{"libvirt-guests.service", "virt-guest-shutdown.target", "libvirtd.service", "network-online.target"} {
		if !slices.Contains(strings.Fields(agent["Unit.After"]), first) {
			t.Errorf("the agent's After lacks %s", first)
		}
	}
	// An order with a unit that is not there is none: libvirt orders guests'
	// scopes by this target.
	if !slices.Contains(strings.Fields(agent["Unit.Wants"]), "virt-guest-shutdown.target") {
		t.Error("the agent does not want virt-guest-shutdown.target")
	}
	if agent["Service.KillMode"] != "process" {
		t.Error("stopping the agent kills the guests' helpers")
	}
}

func TestTheControlNodesUserIsMade(t *testing.T) {
	b, err := os.ReadFile("deploy/kvorum.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^u (\S+) - "[^"]+" (/\S+)$`).FindStringSubmatch(string(b))
	control := readUnit(t, "deploy/kvorum-control.service")
	if line == nil || line[1] != control["Service.User"] || line[1] != control["Service.Group"] {
		t.Errorf("sysusers makes %q, the unit runs as %s:%s", line, control["Service.User"], control["Service.Group"])
	}
	if line != nil && line[2] != "/var/lib/"+control["Service.StateDirectory"] {
		t.Errorf("the user's home is %s, its data lies in /var/lib/%s", line[2], control["Service.StateDirectory"])
	}
}

// TestSystemdTakesTheUnits asks systemd itself, where it is there.
func TestSystemdTakesTheUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze; TestUnits has looked at the settings")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	verify := func(name, text string) (string, error) {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=one", file).CombinedOutput()
		return string(out), err
	}
	if out, err := verify("plain.service", "[Service]\nExecStart="+self+"\n"); err != nil {
		t.Skipf("systemd-analyze does not work on this machine: %v: %s", err, out)
	}
	if _, err := verify("odd.service", "[Service]\nExecStart="+self+"\nKilMode=process\n"); err == nil {
		t.Error("systemd-analyze does not see a setting that there is not")
	}
	for _, name := range []string{"kvorum-control.service", "kvorum-agent.service"} {
		b, err := os.ReadFile(filepath.Join("deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		// The program is not installed here; any other stands for it.
		if out, err := verify(name, strings.Replace(string(b), "/usr/local/bin/kvorum", self, 1)); err != nil {
			t.Errorf("%s: %v:\n%s", name, err, out)
		}
	}
}
