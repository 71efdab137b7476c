package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// asProgram in the environment makes the test binary the program.
const asProgram = "TEST_AS_KVORUM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// nobody is an ordinary user, whom every Debian has.
const nobody = 65534

// devCloud is a `kvorum dev` that runs.
type devCloud struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	agent  string
	stderr *bytes.Buffer
	rest   chan string // what is printed after the first line
}

var upAt = regexp.MustCompile(`^Kvorum is up at (http://127\.0\.0\.1:\d+)\.`)

// devUp starts `kvorum dev` on a folder, as an ordinary user where it can, and
// waits until it says that it is up.
func devUp(t *testing.T, home string) *devCloud {
	t.Helper()
	d := &devCloud{t: t, agent: "http://" + freeAddress(t), stderr: &bytes.Buffer{}, rest: make(chan string, 1)}
	// The binary's folder is closed to others; this way to it is open.
	d.cmd = exec.Command("/proc/self/exe", "dev", "--dir", "cloud", "--listen", "127.0.0.1:0", "--agent", freeAddress(t), "--observe", strings.TrimPrefix(d.agent, "http://"))
	d.cmd.Dir, d.cmd.Env, d.cmd.Stderr = home, []string{asProgram + "=1", "PATH=" + os.Getenv("PATH")}, d.stderr
	if os.Geteuid() == 0 {
		d.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() }) // ended already, if all went well
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	found := upAt.FindStringSubmatch(first)
	if found == nil {
		_ = d.cmd.Wait()
		t.Fatalf("it said %q (%v), and on stderr:\n%s", first, err, d.stderr)
	}
	d.url = found[1]
	go func() {
		var text strings.Builder
		_, _ = lines.WriteTo(&text) // ends when the program does
		d.rest <- text.String()
	}()
	return d
}

// freeAddress is one that nobody listened on just now: the agent tells its
// address before it listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// end presses Ctrl-C, and gives what was printed after the first line.
func (d *devCloud) end() string {
	d.t.Helper()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		d.t.Fatal(err)
	}
	text := <-d.rest
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("it ended with %v, and on stderr:\n%s", err, d.stderr)
	}
	for line := range strings.Lines(d.stderr.String()) {
		// That a disk took longer than an election may is worth a warning, and
		// happens on a busy machine.
		if !strings.Contains(line, "Election timeout reached") {
			d.t.Errorf("it warns of what is ordinary: %s", line)
		}
	}
	return text
}

// until asks again and again until ok.
func (d *devCloud) until(what string, ok func() bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	for !ok() {
		if err := clock.Sleep(ctx, clock.Real{}, 10*time.Millisecond); err != nil {
			d.t.Fatalf("never: %s; stderr:\n%s", what, d.stderr)
		}
	}
}

// password is what clouds.yaml tells clients.
func (d *devCloud) password(home string) string {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(home, "cloud", "clouds.yaml"))
	if err != nil {
		d.t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^      password: (\S+)$`).FindSubmatch(b)
	if found == nil || !bytes.Contains(b, []byte("auth_url: "+d.url+"/identity/v3\n")) {
		d.t.Fatalf("clouds.yaml of %s:\n%s", d.url, b)
	}
	return string(found[1])
}

// named gives the id of the only thing of the name in a list.
func (d *devCloud) named(token, path, list, name string) string {
	d.t.Helper()
	status, text, _ := call(d.t, token, "GET", d.url+path, "")
	var all map[string]json.RawMessage
	var things []struct{ ID, Name string }
	if status != 200 || json.Unmarshal([]byte(text), &all) != nil || json.Unmarshal(all[list], &things) != nil {
		d.t.Fatalf("%s: %d %s", path, status, text)
	}
	for _, x := range things {
		if x.Name == name {
			return x.ID
		}
	}
	d.t.Fatalf("no %s in %s", name, text)
	return ""
}

func (d *devCloud) active(token, server string) bool {
	d.t.Helper()
	status, text, _ := call(d.t, token, "GET", d.url+"/compute/v2.1/servers/"+server, "")
	if status != 200 || strings.Contains(text, `"status":"ERROR"`) {
		d.t.Fatalf("the server: %d %s", status, text)
	}
	return strings.Contains(text, `"status":"ACTIVE"`)
}

func (d *devCloud) console(token, server string) string {
	d.t.Helper()
	status, text, _ := call(d.t, token, "POST", d.url+"/compute/v2.1/servers/"+server+"/action", `{"os-getConsoleOutput":{}}`)
	if status != 200 {
		d.t.Errorf("the console: %d %s", status, text)
	}
	return text
}

// TestDev is the README's first example: a cloud in one process, for an
// ordinary user, that is still there the next time.
func TestDev(t *testing.T) {
	home, err := os.MkdirTemp("", "kvorum-dev-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	if os.Geteuid() == 0 {
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}

	d := devUp(t, home)
	password := d.password(home)
	token := login(t, d.url, "admin", "admin", password)
	image := d.named(token, "/image/v2/images", "images", "guest")
	flavor := d.named(token, "/compute/v2.1/flavors", "flavors", "m1.tiny")
	network := d.named(token, "/network/v2.0/networks", "networks", "private")
	server := made(t, token, d.url+"/compute/v2.1/servers", "server",
		fmt.Sprintf(`{"server":{"name":"first","imageRef":%q,"flavorRef":%q,"networks":[{"uuid":%q}]}}`, image, flavor, network))
	d.until("the server is active", func() bool { return d.active(token, server) })
	if text := d.console(token, server); !strings.Contains(text, "instance-id: "+server) {
		t.Errorf("the console says %s", text)
	}
	d.agentTells(`kvorum_agent_guests{state="running"} 1`, `kvorum_agent_steps_total{outcome="done",step="start"} 1`, "kvorum_agent_confirmed 1",
		"kvorum_agent_ledger_index ", "kvorum_agent_control_silence_seconds ", "kvorum_agent_image_cache_bytes ")
	if status, text, _ := call(t, "", "GET", d.url+"/metrics", ""); status != 200 || !strings.Contains(text, "\nkvorum_scheduler_placed_total 1\n") ||
		!strings.Contains(text, `kvorum_leader_duty_runs_total{duty="place"} `) {
		t.Errorf("the control node's metrics: %d %s", status, text)
	}
	if says := operatorSays(t, filepath.Join(home, "cloud"), "why", server); !regexp.MustCompile(`^server: ` + server +
		` first, active\nhost:   dev-host\ntrace:  "at index \d+, 1 host; 1\. dev-host \(2000\)"\n$`).MatchString(says) {
		t.Errorf("why it is there: %s", says)
	}
	if text := d.end(); !strings.Contains(text, "export OS_CLIENT_CONFIG_FILE="+filepath.Join(home, "cloud", "clouds.yaml")+"\n") {
		t.Errorf("it does not print what to export:\n%s", text)
	}

	d = devUp(t, home)
	if again := d.password(home); again != password {
		t.Error("the password changed with the restart")
	}
	token = login(t, d.url, "admin", "admin", password)
	d.until("the server runs after the restart", func() bool {
		return d.active(token, server) && strings.Contains(d.console(token, server), "instance-id: "+server)
	})
	if status, text, _ := call(t, token, "DELETE", d.url+"/compute/v2.1/servers/"+server, ""); status != 204 {
		t.Errorf("delete: %d %s", status, text)
	}
	d.until("the server is gone", func() bool {
		status, _, _ := call(t, token, "GET", d.url+"/compute/v2.1/servers/"+server, "")
		return status == http.StatusNotFound
	})
	d.until("the host has nothing left of it", func() bool {
		_, text, _ := call(t, "", "GET", d.agent+"/metrics", "")
		return strings.Contains(text, `kvorum_agent_steps_total{outcome="done",step="remove"} 1`)
	})
	d.end()
	owned(t, home)
}

// agentTells asks the host agent's own address for its readiness and metrics.
func (d *devCloud) agentTells(wants ...string) {
	d.t.Helper()
	d.until("the agent is ready", func() bool {
		status, _, _ := call(d.t, "", "GET", d.agent+"/readyz", "")
		return status == http.StatusOK
	})
	_, text, _ := call(d.t, "", "GET", d.agent+"/metrics", "")
	for _, want := range wants {
		if !strings.Contains(text, "\n"+want) {
			d.t.Errorf("the agent's metrics lack %q:\n%s", want, text)
		}
	}
	if _, text, _ := call(d.t, "", "GET", d.agent+"/healthz", ""); !strings.Contains(text, `"confirmed":true`) {
		d.t.Errorf("the agent's health: %s", text)
	}
}

// owned checks that all of the cloud lies in its folder and is the user's: the
// program gained no rights on the way.
func owned(t *testing.T, home string) {
	t.Helper()
	entries, err := os.ReadDir(home)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the cloud's folder there is %v, %v", entries, err)
	}
	err = filepath.WalkDir(home, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if st := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && st.Uid != nobody {
			t.Errorf("%s belongs to user %d", path, st.Uid)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
