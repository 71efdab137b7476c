package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// loseLeader kills the leading control node, where there are others, and makes
// a server through one of those.
func (s *show) loseLeader() error {
	if len(s.cloud.Controls) > 1 {
		l, err := s.cloud.Leader(s.ctx)
		if err != nil {
			return err
		}
		fmt.Println("killing", l.Name())
		if err := l.Kill("control"); err != nil {
			return err
		}
		s.through(l)
	}
	if err := s.create("second", "--image", "guest-disk"); err != nil {
		return err
	}
	g, err := s.active("second")
	if err != nil {
		return err
	}
	s.guests = append(s.guests, g)
	return s.readConsole("second", "hostname=second")
}

// loseAgent kills the agent of the first guest's host and starts it again: the
// guest's process is the same, and it answers.
func (s *show) loseAgent() error {
	g := s.guests[0]
	before, err := s.process(g)
	if err != nil {
		return err
	}
	fmt.Println("killing the agent of", g.host.Name())
	if err := g.host.Kill("agent"); err != nil {
		return err
	}
	if err := s.pingGuest(g); err != nil {
		return fmt.Errorf("without its agent: %w", err)
	}
	if err := s.cloud.StartAgent(s.ctx, g.host); err != nil {
		return err
	}
	after, err := s.process(g)
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("the guest was process %s and is now %s", before, after)
	}
	fmt.Printf("%s is still process %s\n", g.name, after)
	return s.pingGuest(g)
}

// process gives the id of the process that the guest is on its host.
func (s *show) process(g *guest) (string, error) {
	ids, err := s.processes(g)
	if err == nil && len(ids) != 1 {
		err = fmt.Errorf("the guest %s is processes %v", g.name, ids)
	}
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// processes lists all that the guest is on its host: one, or none if it is off.
func (s *show) processes(g *guest) ([]string, error) {
	out, err := g.host.Command(s.ctx, "pgrep", "-f", "guest=instance-.*"+g.id).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("pgrep: %w: %s", err, out)
	}
	return strings.Fields(string(out)), nil
}
