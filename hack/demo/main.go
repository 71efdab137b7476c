package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/cloud"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	prefix := flag.String("prefix", "kvdemo", "first letters of all that the demo makes")
	dir := flag.String("dir", "/tmp/kvdemo", "the demo's folder")
	bin := flag.String("bin", "bin/kvorum", "the program")
	guest := flag.String("guest", "out/guest", "folder of the guest image")
	out := flag.String("out", "out/demo.jsonl", "where each step is noted as a line of JSON")
	flag.Parse()
	var err error
	switch flag.Arg(0) {
	case "up":
		_, err = up(ctx, cloud.Options{Prefix: *prefix, Dir: *dir, Binary: *bin, Controls: 3, Agents: 2, Clock: clock.Real{}}, *guest, *out)
	case "down":
		err = testbed.Sweep(ctx, *prefix, clock.Real{})
		if err == nil {
			fmt.Println("demo-down: ok")
		}
	default:
		err = errors.New("usage: demo [flags] up|down")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// show runs the demo's steps one after the other.
type show struct {
	ctx   context.Context
	cloud *cloud.Cloud
	opts  cloud.Options
	guest string
	out   *os.File
	// What earlier steps found out: the guests, a router's namespace, and the
	// entry of clouds.yaml to go by.
	guests []*guest
	router string
	via    string
}

// up runs every step; the show that it gives is of use even after an error.
func up(ctx context.Context, o cloud.Options, guest, out string) (*show, error) {
	s := &show{ctx: ctx, guest: guest, opts: o}
	var err error
	if s.opts.Binary, err = filepath.Abs(o.Binary); err != nil {
		return s, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return s, err
	}
	if s.out, err = os.Create(out); err != nil {
		return s, err
	}
	defer s.out.Close()
	for _, step := range s.steps() {
		if err := s.step(step); err != nil {
			return s, err
		}
	}
	s.goOn()
	fmt.Println("demo: ok")
	return s, nil
}

// step runs one step and notes how it went.
func (s *show) step(st step) error {
	fmt.Printf("\n== %s\n", st.name)
	began := time.Duration(clock.Real{}.Mono())
	err := st.do()
	line, merr := json.Marshal(map[string]any{"step": st.name, "ok": err == nil,
		"seconds": (clock.Real{}.Mono() - began).Seconds()})
	if merr != nil {
		return merr
	}
	if _, werr := fmt.Fprintf(s.out, "%s\n", line); werr != nil {
		return werr
	}
	if err != nil {
		return fmt.Errorf("the step %q failed: %w\n(the cloud is left for a look in %s; `make demo-down` removes it)", st.name, err, s.opts.Dir)
	}
	return nil
}
