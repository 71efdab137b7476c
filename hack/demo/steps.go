package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/cloud"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

type step struct {
	name string
	do   func() error
}

func (s *show) steps() []step {
	return []step{
		{"remove what an earlier demo left", func() error { return testbed.Sweep(s.ctx, s.opts.Prefix, s.opts.Clock) }},
		{"lay out a control node and a host with libvirt", s.layOut},
		{"upload the guest's kernel, ramdisk and disk", s.uploadImages},
		{"make a network with a router to the outside", s.makeNetwork},
		{"make a key pair", s.makeKey},
		{"boot a server from a kernel and a ramdisk", s.bootPair},
		{"boot a server from a bootable disk", s.bootDisk},
		{"list the servers", func() error { return s.openstack("server", "list") }},
		{"read the console: what the guest read from its metadata", s.readConsole},
		{"ping the guest", s.ping},
		{"log in to the guest with ssh", s.ssh},
	}
}

func (s *show) layOut() error {
	var err error
	s.cloud, err = cloud.Up(s.ctx, s.opts)
	if err == nil {
		fmt.Println("control node:", s.cloud.URL(), " host:", s.cloud.Hosts[0].Address())
	}
	return err
}

// command runs openstack, shows what a person would type, and gives what it
// printed.
func (s *show) command(args ...string) (string, error) {
	fmt.Println("$ openstack", strings.Join(args, " "))
	ctx, cancel := context.WithTimeout(s.ctx, 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openstack", args...)
	cmd.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+s.cloud.CloudsFile(), "OS_CLOUD="+cloud.Name)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("openstack %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), errOut.String())
	}
	return out.String(), nil
}

func (s *show) openstack(args ...string) error {
	out, err := s.command(args...)
	fmt.Print(out)
	return err
}

// value runs a command and gives one column of what it printed.
func (s *show) value(column string, args ...string) (string, error) {
	out, err := s.command(append(args, "-f", "value", "-c", column)...)
	return strings.TrimSpace(out), err
}

func (s *show) uploadImages() error {
	file := func(name string) string { return filepath.Join(s.guest, name) }
	kernel, err := s.value("id", "image", "create", "--disk-format", "aki", "--container-format", "aki", "--file", file("vmlinuz"), "guest-kernel")
	if err != nil {
		return err
	}
	ramdisk, err := s.value("id", "image", "create", "--disk-format", "ari", "--container-format", "ari", "--file", file("initrd.gz"), "guest-ramdisk")
	if err != nil {
		return err
	}
	if _, err = s.value("id", "image", "create", "--disk-format", "ami", "--container-format", "ami", "--file", file("disk.raw"),
		"--property", "kernel_id="+kernel, "--property", "ramdisk_id="+ramdisk, "guest"); err != nil {
		return err
	}
	if _, err = s.value("id", "image", "create", "--disk-format", "qcow2", "--container-format", "bare", "--file", file("guest.qcow2"), "guest-disk"); err != nil {
		return err
	}
	return s.openstack("image", "list")
}

func (s *show) makeNetwork() error {
	for _, args := range [][]string{
		{"network", "create", "--external", "public"},
		{"network", "create", "private"},
		{"subnet", "create", "--network", "private", "--subnet-range", "10.0.0.0/24", "private"},
		{"router", "create", "edge"},
		{"router", "set", "--external-gateway", "public", "edge"},
		{"router", "add", "subnet", "edge", "private"},
	} {
		if _, err := s.command(args...); err != nil {
			return err
		}
	}
	return s.openstack("network", "list")
}

func (s *show) keyFile() string { return s.cloud.File("id_ed25519") }

func (s *show) makeKey() error {
	out, err := exec.CommandContext(s.ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "demo", "-f", s.keyFile()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ssh-keygen: %w: %s", err, out)
	}
	return s.openstack("keypair", "create", "--public-key", s.keyFile()+".pub", "demo")
}

// userData is run by the guest; its words are looked for on the console.
const userData = "#!/bin/sh\necho user data ran on $(hostname)\n"

func (s *show) bootPair() error {
	file := s.cloud.File("user-data")
	if err := os.WriteFile(file, []byte(userData), 0o644); err != nil {
		return err
	}
	return s.boot("first", "--image", "guest", "--user-data", file, "--property", "demo=yes")
}

// boot makes a server and waits until it runs; the client itself ends well
// also when the server ends in error.
func (s *show) boot(name string, args ...string) error {
	args = append([]string{"server", "create", "--flavor", "m1.micro", "--network", "private", "--key-name", "demo", "--wait"}, args...)
	if err := s.openstack(append(args, name)...); err != nil {
		return err
	}
	text, err := s.value("status", "server", "show", name)
	if err == nil && text != "ACTIVE" {
		fault, _ := s.value("fault", "server", "show", name)
		err = fmt.Errorf("the server %s is %s: %s", name, text, fault)
	}
	return err
}

func (s *show) bootDisk() error {
	return s.boot("second", "--image", "guest-disk")
}

func (s *show) readConsole() error {
	for _, name := range []string{"first", "second"} {
		text, err := s.console(name)
		if err != nil {
			return err
		}
		var lines []string
		for line := range strings.Lines(text) {
			if strings.Contains(line, "KVORUM-GUEST") || strings.Contains(line, "user data ran") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		fmt.Println(strings.Join(lines, "\n"))
		wants := []string{"instance-id=i-", "hostname=" + name}
		if name == "first" {
			wants = append(wants, "user data ran on first")
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				return fmt.Errorf("the console of %s does not show %q:\n%s", name, want, text)
			}
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
// host, from where the guests can be reached.
func (s *show) inRouter(args ...string) *exec.Cmd {
	return s.cloud.Hosts[0].Command(s.ctx, append([]string{"ip", "netns", "exec", s.router}, args...)...)
}

// find looks up the guest's address and the router's namespace.
func (s *show) find() error {
	text, err := s.command("server", "show", "first", "-f", "json", "-c", "addresses")
	if err != nil {
		return err
	}
	var shown struct {
		Addresses map[string][]string `json:"addresses"`
	}
	if err := json.Unmarshal([]byte(text), &shown); err != nil || len(shown.Addresses["private"]) == 0 {
		return fmt.Errorf("the server has no address on the network: %v\n%s", err, text)
	}
	s.address = shown.Addresses["private"][0]
	out, err := s.cloud.Hosts[0].Command(s.ctx, "ip", "netns", "list").CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip netns list: %w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if name := strings.Fields(line); len(name) > 0 && strings.HasPrefix(name[0], "kvr") {
			s.router = name[0]
		}
	}
	if s.router == "" {
		return fmt.Errorf("the host has no namespace for the router:\n%s", out)
	}
	return nil
}

func (s *show) ping() error {
	if err := s.find(); err != nil {
		return err
	}
	out, err := s.inRouter("ping", "-c", "3", "-W", "5", s.address).CombinedOutput()
	fmt.Print(string(out))
	return err
}

// sshArgs is a login that runs one command.
func (s *show) sshArgs(command string) []string {
	return []string{"ssh", "-i", s.keyFile(), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20", "root@" + s.address, command}
}

func (s *show) ssh() error {
	out, err := s.inRouter(s.sshArgs("hostname; uname -r; cat /etc/resolv.conf")...).CombinedOutput()
	fmt.Print(string(out))
	if err == nil && !strings.HasPrefix(string(out), "first") {
		return fmt.Errorf("the guest calls itself something else than first")
	}
	return err
}

func (s *show) goOn() {
	rack := fmt.Sprintf("bin/rack -prefix %s exec h1 ip netns exec %s", s.opts.Prefix, s.router)
	fmt.Printf(`
The cloud is up and stays up. Go on by hand:

  export OS_CLIENT_CONFIG_FILE=%s OS_CLOUD=%s
  openstack server list
  openstack server reboot --hard first
  %s %s

Logs are in %s; "make demo-down" removes everything.

`, s.cloud.CloudsFile(), cloud.Name, rack, strings.Join(s.sshArgs("hostname"), " "), s.opts.Dir)
}
