package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/kvorum/kvorum/api/operator"
)

// whyCommand tells why a server is where it is.
func whyCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "why SERVER", Short: "Say which host a server (by its id) is on, and why there or on none", Args: cobra.ExactArgs(1)}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var w operator.Why
		if err := operate(cmd.Context(), at(), http.MethodGet, "/v1/servers/"+url.PathEscape(args[0])+"/why", nil, &w); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "server: %s %s, %s\nhost:   %s\ntrace:  %s\n", w.ID, plain(w.Name), w.State, plain(w.Host), traced(w))
		if w.Fault != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "fault:  %q\n", w.Fault)
		}
		return nil
	}
	return c
}

// traced is the placement's trace for a terminal: hosts have named themselves.
func traced(w operator.Why) string {
	if w.Trace == "" {
		return "none: it waits for a host"
	}
	return fmt.Sprintf("%q", w.Trace)
}
