package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

const usage = `usage: rack [-prefix P] COMMAND
  up [-dir D] [-range CIDR] [-external CIDR] [-uplink] [-libvirt] HOST...   lay out a rack and leave it running
  down                          remove the rack of the prefix, in whatever state it is; none is success
  status                        print the rack as JSON
  exec HOST CMD [ARG...]        run a program on a host ("outside" is the world outside) in the foreground
  start HOST NAME CMD [ARG...]  run a program on a host in the background; its output goes to a log file
  stop HOST NAME                ask it to end
  kill HOST NAME                end it at once (SIGKILL)
  pause HOST NAME               stop it where it is (SIGSTOP)
  resume HOST NAME              let it go on
  cut HOST...                   let these hosts and the others no longer hear each other
  heal                          end that
  off HOST...                   take the power from hosts, from all in the same moment
  on HOST                       boot a host again; nothing is started on it
  inventory [FOLDER...]         list what a rack could leave behind on the machine
`

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	err := run(ctx, os.Args[1:], os.Stdout)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, argv []string, out io.Writer) error {
	flags := flag.NewFlagSet("rack", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	prefix := flags.String("prefix", "kvdemo", "begins the names of all that the rack makes")
	if err := flags.Parse(argv); err != nil {
		return err
	}
	args := flags.Args()
	if len(args) == 0 {
		return errs.Errorf("rack", errs.Invalid, "%s", usage)
	}
	switch command, args := args[0], args[1:]; command {
	case "up":
		return up(ctx, *prefix, args)
	case "down":
		return testbed.Sweep(ctx, *prefix, clock.Real{})
	case "inventory":
		return inventory(ctx, args, out)
	default:
		dir, err := testbed.Find(*prefix)
		if err != nil {
			return err
		}
		rack, err := testbed.Attach(dir, clock.Real{})
		if err != nil {
			return err
		}
		return inside(ctx, rack, command, args, out)
	}
}

func up(ctx context.Context, prefix string, args []string) error {
	o := testbed.Options{Prefix: prefix}
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&o.Dir, "dir", "/tmp/"+prefix, "the rack's folder")
	flags.BoolVar(&o.Uplink, "uplink", false, "let the machine reach the hosts")
	flags.TextVar(&o.Range, "range", netip.MustParsePrefix("10.231.0.0/16"), "network of the hosts' addresses")
	flags.TextVar(&o.External, "external", netip.MustParsePrefix("198.51.100.0/24"), "outer network on the guests' wire")
	libvirt := flags.Bool("libvirt", false, "start a libvirtd on each host")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rack, err := testbed.New(ctx, o)
	if err != nil {
		return err
	}
	for _, name := range flags.Args() {
		h, err := rack.AddHost(ctx, name)
		if err == nil && *libvirt {
			err = h.StartLibvirt(ctx)
		}
		if err != nil {
			return errors.Join(err, rack.Close(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

// stopWait is how long stop asks before it kills.
const stopWait = 20 * time.Second

func inside(ctx context.Context, rack *testbed.Rack, command string, args []string, out io.Writer) error {
	need := map[string]int{"status": 0, "exec": 2, "start": 3, "stop": 2, "kill": 2, "pause": 2, "resume": 2, "cut": 1, "heal": 0, "off": 1, "on": 1}
	least, known := need[command]
	if !known || len(args) < least {
		return errs.Errorf("rack", errs.Invalid, "%s", usage)
	}
	switch command {
	case "status":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(rack.Status())
	case "cut":
		return cut(ctx, rack, args)
	case "heal":
		return rack.Heal(ctx)
	case "off":
		return off(ctx, rack, args)
	}
	host, err := rack.Host(args[0])
	if err != nil {
		return err
	}
	switch command {
	case "exec":
		cmd := host.Command(ctx, args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, os.Stderr
		return cmd.Run()
	case "start":
		_, err := host.Start(args[1], args[2:]...)
		return err
	case "on":
		return host.PowerOn(ctx)
	case "kill":
		return host.Kill(args[1])
	case "pause":
		return host.Pause(args[1])
	case "resume":
		return host.Resume(args[1])
	default:
		ctx, cancel := context.WithTimeout(ctx, stopWait)
		defer cancel()
		return host.Stop(ctx, args[1])
	}
}

// cut parts the named hosts from all others.
func cut(ctx context.Context, rack *testbed.Rack, names []string) error {
	var others []string
	for _, h := range rack.Hosts() {
		if !slices.Contains(names, h.Name()) {
			others = append(others, h.Name())
		}
	}
	return rack.Partition(ctx, names, others)
}

func off(ctx context.Context, rack *testbed.Rack, names []string) error {
	var hosts []*testbed.Host
	for _, name := range names {
		h, err := rack.Host(name)
		if err != nil {
			return err
		}
		hosts = append(hosts, h)
	}
	return rack.CutPower(ctx, hosts...)
}

func inventory(ctx context.Context, folders []string, out io.Writer) error {
	inv, err := testbed.TakeInventory(ctx, folders...)
	if err != nil {
		return err
	}
	for _, line := range inv {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}
