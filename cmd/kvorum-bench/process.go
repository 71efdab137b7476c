package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/hostagent/control"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/pki/joining"
	ports "github.com/kvorum/kvorum/internal/wire"
)

// The addresses of the program under measurement.
const (
	benchPublic   = "127.0.0.1:18774"
	benchInternal = "127.0.0.1:18770"
	benchPassword = "bench"
)

// program is the real program as a process.
type program struct {
	cmd   *exec.Cmd
	url   string
	dir   string
	token string
	ready time.Duration
}

// start runs the program and waits until it is ready.
func start(bin, dir string, args ...string) (*program, error) {
	p := &program{url: "http://" + benchPublic, dir: dir}
	watch := clock.Real{}
	began := watch.Mono()
	p.cmd = exec.Command(bin, args...)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for {
		resp, err := http.Get(p.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				p.ready = watch.Mono() - began
				return p, nil
			}
		}
		if watch.Mono()-began > 30*time.Second {
			p.stop()
			return nil, fmt.Errorf("%s %s did not get ready", bin, strings.Join(args, " "))
		}
		<-watch.After(2 * time.Millisecond)
	}
}

func startControl(bin, dir string) (*program, error) {
	return start(bin, dir, "control", "--node", "n1", "--data_dir", dir, "--control.bootstrap=true", "--control.admin_password", benchPassword,
		"--public.listen", benchPublic, "--control.listen", benchInternal, "--log.level", "error")
}

func (p *program) stop() {
	p.cmd.Process.Signal(os.Interrupt)
	p.cmd.Wait()
}

// rss is the process's resident memory in MiB.
func (p *program) rss() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(f[1], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS")
}

// call makes a request and reads the JSON answer into out, if that is not nil.
func (p *program) call(method, path string, body, out any) (http.Header, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, p.url+path, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Auth-Token", p.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	if out != nil {
		err = json.Unmarshal(b, out)
	}
	return resp.Header, err
}

type object = map[string]any

// login gets an administrator's token.
func (p *program) login() error {
	h, err := p.call("POST", "/identity/v3/auth/tokens", object{"auth": object{
		"identity": object{"methods": []string{"password"}, "password": object{"user": object{
			"name": "admin", "domain": object{"id": "default"}, "password": benchPassword}}},
		"scope": object{"project": object{"name": "admin", "domain": object{"id": "default"}}}}}, nil)
	if err == nil {
		p.token = h.Get("X-Subject-Token")
	}
	return err
}

// fill makes everything that servers need: no limits, an image, a network, and
// a host that is larger than any.
func (p *program) fill() (image, network string, err error) {
	if err = p.login(); err != nil {
		return
	}
	var tok struct {
		Projects []struct{ ID string } `json:"projects"`
	}
	if _, err = p.call("GET", "/identity/v3/auth/projects", nil, &tok); err != nil {
		return
	}
	limits := object{"quota_set": object{"instances": -1, "cores": -1, "ram": -1}}
	if _, err = p.call("PUT", "/compute/v2.1/os-quota-sets/"+tok.Projects[0].ID, limits, nil); err != nil {
		return
	}
	if _, err = p.call("PUT", "/network/v2.0/quotas/"+tok.Projects[0].ID, object{"quota": object{"port": -1}}, nil); err != nil {
		return
	}
	var img struct{ ID string }
	if _, err = p.call("POST", "/image/v2/images", object{"name": "i", "disk_format": "raw", "container_format": "bare"}, &img); err != nil {
		return
	}
	if err = p.upload(img.ID); err != nil {
		return
	}
	var net struct{ Network struct{ ID string } }
	if _, err = p.call("POST", "/network/v2.0/networks", object{"network": object{"name": "n"}}, &net); err != nil {
		return
	}
	sub := object{"subnet": object{"network_id": net.Network.ID, "ip_version": 4, "cidr": "10.0.0.0/8"}}
	if _, err = p.call("POST", "/network/v2.0/subnets", sub, nil); err != nil {
		return
	}
	return img.ID, net.Network.ID, p.host()
}

func (p *program) upload(id string) error {
	req, err := http.NewRequest("PUT", p.url+"/image/v2/images/"+id+"/file", bytes.NewReader(make([]byte, 4096)))
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", p.token)
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("upload: %s", resp.Status)
	}
	return nil
}

// host joins as a host that can hold everything, and registers it; no agent
// runs on it.
func (p *program) host() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	text, err := exec.CommandContext(ctx, p.cmd.Path, "operator", "token", "create", "--data_dir", p.dir, "--role", "agent", "--name", "h").Output()
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	token, err := pki.ParseToken(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	id := uuid.NewString()
	creds, _, err := joining.Join(ctx, token, joining.Request{Role: pki.Agent, Name: "h", ID: id, Version: "bench"})
	if err != nil {
		return err
	}
	conf := pki.Endpoint{Credentials: creds, Clock: clock.Real{}}.Client(pki.Agents, pki.Expect(pki.Control, ""))
	client, err := control.New(control.Config{Nodes: func() []string { return []string{benchInternal} }, HostID: id, Clock: clock.Real{},
		HTTP: ports.Transport(func(string) *tls.Config { return conf })})
	if err != nil {
		return err
	}
	return client.Register(ctx, assign.Capacity{HostID: id, Name: "h", Address: "127.0.0.1:1", VCPUs: 1 << 20, RAM: 1 << 30, Disk: 1 << 30,
		Archs: []string{"x86_64"}, Hypervisor: "QEMU"})
}

// create asks for n servers in one request.
func (p *program) create(image, network string, n int) error {
	_, err := p.call("POST", "/compute/v2.1/servers", object{"server": object{"name": "s", "imageRef": image, "flavorRef": "1",
		"networks": []object{{"uuid": network}}, "min_count": n, "max_count": n}}, nil)
	return err
}

// devReady measures how long `kvorum dev` takes to be ready, and its memory.
func devReady(o options) ([]row, error) {
	dir, err := os.MkdirTemp(o.data, "bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var ready, rss []float64
	for i := range o.turns {
		p, err := start(o.bin, dir, "dev", "--dir", filepath.Join(dir, strconv.Itoa(i)), "--listen", benchPublic)
		if err != nil {
			return nil, err
		}
		m, err := p.rss()
		p.stop()
		if err != nil {
			return nil, err
		}
		ready, rss = append(ready, float64(p.ready.Milliseconds())), append(rss, m)
	}
	return []row{{Name: "dev_ready", Value: median(ready), Unit: "ms", Better: "lower"},
		{Name: "rss_empty", Value: median(rss), Unit: "MiB", Better: "lower"}}, nil
}

// httpCreate measures creates by HTTP with a token and JSON.
func httpCreate(o options) ([]row, error) {
	dir, err := os.MkdirTemp(o.data, "bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := startControl(o.bin, dir)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	image, network, err := p.fill()
	if err != nil {
		return nil, err
	}
	var rates []float64
	for range o.turns {
		d, err := work(16, 0, o.span(), func(context.Context, int) error { return p.create(image, network, 1) })
		if err != nil {
			return nil, err
		}
		rates = append(rates, d.rate())
	}
	return []row{{Name: "http_create_c16", Value: median(rates), Unit: "ops/s", Better: "higher"}}, nil
}

// rss100k measures a control node's memory with 100,000 servers, each with a
// port, an address, a permit and its place on a host.
func rss100k(o options) ([]row, error) {
	const servers, each = 100000, 500
	dir, err := os.MkdirTemp(o.data, "bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := startControl(o.bin, dir)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	image, network, err := p.fill()
	if err != nil {
		return nil, err
	}
	for range servers / each {
		if err := p.create(image, network, each); err != nil {
			return nil, err
		}
	}
	if err := p.placed(); err != nil {
		return nil, err
	}
	m, err := p.rss()
	return []row{{Name: "rss_100k", Value: m, Unit: "MiB", Better: "lower"}}, err
}

// placed waits until no server waits for a host any more.
func (p *program) placed() error {
	for range 600 {
		resp, err := http.Get(p.url + "/metrics")
		if err != nil {
			return err
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		if strings.Contains(string(b), "\nkvorum_scheduler_waiting_servers 0\n") {
			return nil
		}
		<-clock.Real{}.After(500 * time.Millisecond)
	}
	return fmt.Errorf("servers still wait for a host after five minutes")
}
