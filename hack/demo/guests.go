package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/cloud"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// guest is a server as the steps have found it.
type guest struct {
	name, id, address string
	host              *testbed.Host
}

// userData is run by the guests; its words are looked for on their consoles.
const userData = "#!/bin/sh\necho user data ran on $(hostname)\n"

// bootPair makes two servers at once: first-1 and first-2.
func (s *show) bootPair() error {
	file := s.cloud.File("user-data")
	if err := os.WriteFile(file, []byte(userData), 0o644); err != nil {
		return err
	}
	if err := s.create("first", "--image", "guest", "--user-data", file, "--property", "demo=yes", "--min", "2", "--max", "2"); err != nil {
		return err
	}
	for _, name := range []string{"first-1", "first-2"} {
		g, err := s.active(name)
		if err != nil {
			return err
		}
		s.guests = append(s.guests, g)
	}
	return nil
}

// create makes servers and waits until (the first of them) runs or fails.
func (s *show) create(name string, args ...string) error {
	args = append([]string{"server", "create", "--flavor", "m1.micro", "--network", "private", "--key-name", "demo", "--wait"}, args...)
	return s.openstack(append(args, name)...)
}

// active waits until a server runs, and finds out where.
func (s *show) active(name string) (*guest, error) {
	ctx, cancel := context.WithTimeout(s.ctx, 3*time.Minute)
	defer cancel()
	for {
		var shown struct {
			ID        string              `json:"id"`
			Status    string              `json:"status"`
			Fault     json.RawMessage     `json:"fault"`
			Host      string              `json:"OS-EXT-SRV-ATTR:host"`
			Addresses map[string][]string `json:"addresses"`
		}
		text, err := s.command("server", "show", name, "-f", "json")
		if err == nil {
			err = json.Unmarshal([]byte(text), &shown)
		}
		if err != nil {
			return nil, err
		}
		if shown.Status == "ERROR" {
			return nil, fmt.Errorf("the server %s ended in error: %s", name, shown.Fault)
		}
		if shown.Status == "ACTIVE" && len(shown.Addresses["private"]) > 0 {
			h, err := s.cloud.Rack.Host(shown.Host)
			return &guest{name: name, id: shown.ID, address: shown.Addresses["private"][0], host: h}, err
		}
		if err := clock.Sleep(ctx, s.opts.Clock, time.Second); err != nil {
			return nil, fmt.Errorf("the server %s is %s for too long", name, shown.Status)
		}
	}
}

// spread shows that the scheduler used both hosts.
func (s *show) spread() error {
	for _, g := range s.guests {
		fmt.Println(g.name, g.address, "on", g.host.Name())
	}
	if len(s.cloud.Hosts) > 1 && s.guests[0].host == s.guests[1].host {
		return fmt.Errorf("both servers are on %s", s.guests[0].host.Name())
	}
	return nil
}

func (s *show) readConsoles() error {
	for _, g := range s.guests {
		if err := s.readConsole(g.name, "instance-id=i-", "hostname="+g.name, "user data ran on "+g.name); err != nil {
			return err
		}
	}
	return nil
}

// readConsole waits until a guest is ready, and looks for words.
func (s *show) readConsole(name string, wants ...string) error {
	text, err := s.console(name)
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "KVORUM-GUEST") || strings.Contains(line, "user data ran") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	for _, want := range wants {
		if !strings.Contains(text, want) {
			return fmt.Errorf("the console of %s does not show %q:\n%s", name, want, text)
		}
	}
	return nil
}

// console waits until a guest says that it is ready.
func (s *show) console(name string) (string, error) {
	ctx, cancel := context.WithTimeout(s.ctx, 2*time.Minute)
	defer cancel()
	for {
		text, err := s.command("console", "log", "show", name)
		if err == nil && strings.Contains(text, "KVORUM-GUEST: ready") {
			return text, nil
		}
		if serr := clock.Sleep(ctx, s.opts.Clock, 2*time.Second); serr != nil {
			return text, fmt.Errorf("the guest %s did not get ready (%v):\n%s", name, err, text)
		}
	}
}

// inRouter gives a command that runs inside the router's namespace on the
// guest's host, from where the guest can be reached.
func (s *show) inRouter(g *guest, args ...string) (*exec.Cmd, error) {
	out, err := g.host.Command(s.ctx, "ip", "netns", "list").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ip netns list: %w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if name := strings.Fields(line); len(name) > 0 && strings.HasPrefix(name[0], "kvr") {
			s.router = name[0]
			return g.host.Command(s.ctx, append([]string{"ip", "netns", "exec", name[0]}, args...)...), nil
		}
	}
	return nil, fmt.Errorf("the host %s has no namespace for the router:\n%s", g.host.Name(), out)
}

func (s *show) ping() error { return s.pingGuest(s.guests[0]) }

func (s *show) pingGuest(g *guest) error {
	cmd, err := s.inRouter(g, "ping", "-c", "3", "-W", "5", g.address)
	if err != nil {
		return err
	}
	out, err := cmd.CombinedOutput()
	fmt.Print(string(out))
	return err
}

// sshArgs is a login to a guest that runs one command.
func (s *show) sshArgs(g *guest, command string) []string {
	return []string{"ssh", "-i", s.keyFile(), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20", "root@" + g.address, command}
}

// inGuest runs a command in a guest and shows what it printed.
func (s *show) inGuest(g *guest, command string) (string, error) {
	cmd, err := s.inRouter(g, s.sshArgs(g, command)...)
	if err != nil {
		return "", err
	}
	fmt.Printf("%s# %s\n", g.name, command)
	out, err := cmd.CombinedOutput()
	fmt.Print(string(out))
	if err != nil {
		err = fmt.Errorf("%s in %s: %w", command, g.name, err)
	}
	return string(out), err
}

func (s *show) ssh() error {
	out, err := s.inGuest(s.guests[0], "hostname; uname -r; cat /etc/resolv.conf")
	if err == nil && !strings.HasPrefix(out, s.guests[0].name) {
		return fmt.Errorf("the guest calls itself something else than %s", s.guests[0].name)
	}
	return err
}

// across lets each guest reach the other, by address and by name.
func (s *show) across() error {
	a, b := s.guests[0], s.guests[1]
	if _, err := s.inGuest(a, "ping -c 3 -W 5 "+b.address); err != nil {
		return err
	}
	// The guest's static wget cannot resolve names itself.
	_, err := s.inGuest(b, "at=$(nslookup "+a.name+".novalocal | sed -n '/^Name/,$s/^Address: //p'); echo "+a.name+" is $at; timeout 10 wget -q -O - http://$at/cgi-bin/uptime")
	return err
}

func (s *show) goOn() {
	g := s.guests[0]
	fmt.Printf(`
The cloud is up and stays up. Go on by hand:

  export OS_CLIENT_CONFIG_FILE=%s OS_CLOUD=%s
  openstack server list
  openstack server reboot --hard %s
  bin/rack -prefix %s exec %s ip netns exec %s %s

Logs are in %s; "make demo-down" removes everything.

`, s.cloud.CloudsFile(), s.via, g.name, s.opts.Prefix, g.host.Name(), s.router, strings.Join(s.sshArgs(g, "hostname"), " "), s.opts.Dir)
}

// through lets the following commands go to another control node than h.
func (s *show) through(not *testbed.Host) {
	for _, h := range s.cloud.Controls {
		if h != not {
			s.via = h.Name()
			return
		}
	}
	s.via = cloud.Name
}
