package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/internal/errs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kvorum:", sentence(err))
		os.Exit(1)
	}
}

// sentence is what a person at the terminal is told of an error.
func sentence(err error) string {
	var e *errs.Error
	if errors.As(err, &e) && e.Msg != "" && e.Err == nil {
		return e.Msg
	}
	return err.Error()
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use: "kvorum", Short: "OpenStack Compute in one program",
		SilenceErrors: true, SilenceUsage: true,
	}
	c.AddCommand(versionCommand(), devCommand(), operatorCommand())
	control := role("control", "Run a control node: all state, every API", runControl, enterControl)
	control.Flags().Bool("bootstrap", false, "short for --control.bootstrap")
	control.Flags().String("join", "", "short for --control.join")
	agent := role("agent", "Run a host agent: guests and their networks", runAgent, enterAgent)
	agent.Flags().String("join", "", "short for --agent.join")
	c.AddCommand(control, agent)
	return c
}

// run is a role's work: it goes on until ctx ends.
type run func(ctx context.Context, c config.Config, log *slog.Logger) error

// role makes the command of a role, with a flag for every setting. enter is its
// work if it is only to become a member of a cluster.
func role(name, short string, do, enter run) *cobra.Command {
	var file string
	var exit bool
	c := &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs}
	c.Flags().StringVar(&file, "config", "", "configuration file (TOML)")
	c.Flags().BoolVar(&exit, "exit", false, "make or join the cluster, and end: something else starts the node then")
	defaults := config.Default()
	for _, s := range defaults.Settings() {
		c.Flags().String(s.Key, s.String(), s.Usage+" ["+s.Env()+"]")
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if flag, unknown := strings.CutPrefix(err.Error(), "unknown flag: --"); unknown {
			return config.UnknownFlag(flag, "config", "exit", "help", "bootstrap", "join")
		}
		return err
	})
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		conf, err := settings(cmd, file)
		if err != nil {
			return err
		}
		log, err := logger(conf.Log)
		if err != nil {
			return err
		}
		if exit {
			return enter(cmd.Context(), conf, log)
		}
		return do(cmd.Context(), conf, log)
	}
	return c
}

// settings loads the file and the environment, and then the flags that were
// given.
func settings(cmd *cobra.Command, file string) (config.Config, error) {
	conf, err := config.Load(file, os.Environ())
	if err != nil {
		return conf, err
	}
	for _, s := range conf.Settings() {
		for _, name := range []string{s.Key, short(cmd.Name(), s.Key)} {
			if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
				if err := s.Set(f.Value.String()); err != nil {
					return conf, err
				}
			}
		}
	}
	if conf.Node == "" {
		if conf.Node, err = os.Hostname(); err != nil {
			return conf, errs.E("main.settings", errs.Invalid, "node is not set, and the machine has no name", err)
		}
	}
	return conf, nil
}

// short is the flag by which a role's own setting may be given, too: that of
// the first start, which is typed by hand.
func short(role, key string) string {
	if name, ok := strings.CutPrefix(key, role+"."); ok && (name == "bootstrap" || name == "join") {
		return name
	}
	return key
}

func logger(c config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, errs.Errorf("main.log", errs.Invalid, "log.level: %q is none of debug, info, warn, error", c.Level)
	}
	o := &slog.HandlerOptions{Level: level}
	switch strings.ToLower(c.Format) {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, o)), nil
	}
	return nil, errs.Errorf("main.log", errs.Invalid, "log.format: %q is neither text nor json", c.Format)
}
