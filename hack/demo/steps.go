package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

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
		{fmt.Sprintf("lay out %d control nodes and %d hosts with libvirt", s.opts.Controls, s.opts.Agents), s.layOut},
		{"upload the guest's kernel, ramdisk and disk", s.uploadImages},
		{"make a network with a router to the outside", s.makeNetwork},
		{"make a key pair", s.makeKey},
		{"boot two servers from a kernel and a ramdisk, with one request", s.bootPair},
		{"see one of them on each host", s.spread},
		{"list the servers", func() error { return s.openstack("server", "list") }},
		{"read the consoles: what the guests read from their metadata", s.readConsoles},
		{"ping a guest", s.ping},
		{"log in to the guest with ssh", s.ssh},
		{"ping and HTTP from guest to guest, across hosts", s.across},
		{"kill the leading control node, and boot a server from a bootable disk through another", s.loseLeader},
		{"kill an agent and start it again: its guest is not disturbed", s.loseAgent},
		{"list the servers again", func() error { return s.openstack("server", "list") }},
	}
}

func (s *show) layOut() error {
	var err error
	s.cloud, err = cloud.Up(s.ctx, s.opts)
	if err != nil {
		return err
	}
	s.via = cloud.Name
	for _, h := range s.cloud.Controls {
		fmt.Println("control node", h.Name(), cloud.PublicURL(h))
	}
	for _, h := range s.cloud.Hosts {
		fmt.Println("host        ", h.Name(), h.Address())
	}
	return s.openstack("hypervisor", "list")
}

// command runs openstack, shows what a person would type, and gives what it
// printed.
func (s *show) command(args ...string) (string, error) {
	fmt.Printf("$ OS_CLOUD=%s openstack %s\n", s.via, strings.Join(args, " "))
	ctx, cancel := context.WithTimeout(s.ctx, 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openstack", args...)
	cmd.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+s.cloud.CloudsFile(), "OS_CLOUD="+s.via)
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
