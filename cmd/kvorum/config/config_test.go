package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kvorum.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFileThenEnvironment(t *testing.T) {
	file := write(t, "node = \"n1\"\n[public]\nlisten = \"127.0.0.1:1\"\ntimeout = \"5s\"\n[agent]\ndeny = [\"10.0.0.0/8\"]\n")
	c, err := Load(file, []string{"HOME=/x", "KVORUM_PUBLIC_LISTEN=127.0.0.1:2", "KVORUM_AGENT_CONTROL=http://a,http://b"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Node != "n1" || c.Public.Listen != "127.0.0.1:2" || c.Public.Timeout.D() != 5*time.Second || len(c.Agent.Control) != 2 || c.Agent.Deny[0] != "10.0.0.0/8" {
		t.Errorf("%+v", c)
	}
	if c.Control.Region != "RegionOne" {
		t.Errorf("the default is gone: %q", c.Control.Region)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, tc := range []struct{ name, file, env, want string }{
		{"unknown key", "[public]\nlissten = \"x\"\n", "", `there is no setting "public.lissten"; did you mean "public.listen"?`},
		{"unknown table", "[publik]\nlisten = \"x\"\n", "", `there is no setting "publik"; did you mean "public"?`},
		{"a table without its brackets", "publik = 1\n", "", `there is no setting "publik"; did you mean "public"?`},
		{"far off", "zzzzzzzzzzzz = 1\n", "", `there is no setting "zzzzzzzzzzzz"`},
		{"not TOML", "node = \n", "", "line 1"},
		{"wrong type", "node = 5\n", "", "line 1"},
		{"unknown variable", "", "KVORUM_PUBLIC_LISTN=x", `did you mean "KVORUM_PUBLIC_LISTEN"?`},
		{"bad number", "", "KVORUM_AGENT_VCPUS=many", `agent.vcpus: "many" is not a whole number`},
		{"bad time", "", "KVORUM_PUBLIC_TIMEOUT=soon", `public.timeout: "soon" is not a time such as "60s"`},
		{"bad truth value", "", "KVORUM_CONTROL_BOOTSTRAP=perhaps", `control.bootstrap: "perhaps" is not true or false`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Load(write(t, tc.file), []string{tc.env})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestEverySettingIsDocumentedAndSettable(t *testing.T) {
	c := Default()
	for _, s := range c.Settings() {
		if s.Usage == "" || s.Key == "" {
			t.Errorf("%q has no usage or key", s.Key)
		}
		if err := s.Set(s.String()); err != nil {
			t.Errorf("%s does not take its own value %q: %v", s.Key, s.String(), err)
		}
	}
}

// The files of deploy/ are what people start from: every setting in them is
// one.
func TestDeployedFilesLoad(t *testing.T) {
	for _, name := range []string{"control.toml", "agent.toml"} {
		c, err := Load(filepath.Join("../../../deploy", name), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.Log.Format != "json" {
			t.Errorf("%s was not read: %+v", name, c)
		}
	}
}

func TestRatios(t *testing.T) {
	for _, row := range []struct {
		text string
		want Ratio // 0: refused
		back string
	}{
		{"4.0", 400, "4.0"}, {"4", 400, "4.0"}, {"1.5", 150, "1.5"}, {"1.25", 125, "1.25"}, {"0.1", 10, "0.1"}, {"100", 10000, "100.0"},
		{"16.00", 1600, "16.0"}, {"1.05", 105, "1.05"},
		{text: "0"}, {text: "0.09"}, {text: "100.01"}, {text: "1.125"}, {text: "-1"}, {text: "1e1"}, {text: "."}, {text: "1."}, {text: ".5"},
		{text: "1,5"}, {text: ""}, {text: "0x4"}, {text: "99999999999999999999"}, {text: "NaN"},
	} {
		var r Ratio
		err := r.UnmarshalText([]byte(row.text))
		if (err == nil) != (row.want != 0) || r != row.want || err == nil && r.String() != row.back {
			t.Errorf("%q: %d, %q, %v; want %d, %q", row.text, r, r, err, row.want, row.back)
		}
	}
	c, err := Load(write(t, "[agent]\nvcpu_ratio = \"16.0\"\n"), []string{"KVORUM_AGENT_RAM_RATIO=1.5"})
	if err != nil || c.Agent.VCPURatio != 1600 || c.Agent.RAMRatio != 150 || c.Agent.DiskRatio != 100 {
		t.Errorf("%+v, %v", c.Agent, err)
	}
	if c, err := Load(write(t, "[agent]\nvcpu_ratio = 4.5\n"), nil); err != nil || c.Agent.VCPURatio != 450 {
		t.Errorf("without quotes: %d, %v", c.Agent.VCPURatio, err)
	}
	if c, err := Load(write(t, "[agent]\nvcpu_ratio = \"0.0\"\n"), nil); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("out of bounds in a file: %d, %v", c.Agent.VCPURatio, err)
	}
	if _, err := Load("", []string{"KVORUM_AGENT_DISK_RATIO=200"}); err == nil || !strings.Contains(err.Error(), "agent.disk_ratio: 200 is not from 0.1 to 100.0") {
		t.Errorf("out of bounds: %v", err)
	}
}
