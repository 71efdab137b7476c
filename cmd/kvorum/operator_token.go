package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvorum/kvorum/api/operator"
)

// tokenCommand is for the tokens with which nodes join.
func tokenCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "Tokens with which nodes join"}
	c.AddCommand(tokenCreateCommand(at), tokenListCommand(at), tokenDeleteCommand(at))
	return c
}

func tokenCreateCommand(at func() string) *cobra.Command {
	var role, name string
	var ttl time.Duration
	c := &cobra.Command{Use: "create", Short: "Make a token with which one node may join once; it is printed", Args: cobra.NoArgs}
	c.Flags().StringVar(&role, "role", "", "what the node will be: control or agent")
	c.Flags().StringVar(&name, "name", "", "the node's name, as its setting `node` says it")
	c.Flags().DurationVar(&ttl, "ttl", 15*time.Minute, "how long the token is good for; at most 15m")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		var out struct{ Token string }
		err := operate(cmd.Context(), at(), http.MethodPost, "/v1/join-tokens", map[string]string{"role": role, "name": name, "ttl": ttl.String()}, &out)
		if err == nil {
			fmt.Fprintln(cmd.OutOrStdout(), out.Token)
		}
		return err
	}
	return c
}

func tokenListCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the tokens that are open, and those that were used or expired lately; the secrets are not kept", Args: cobra.NoArgs}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		var out struct{ Tokens []operator.Token }
		if err := operate(cmd.Context(), at(), http.MethodGet, "/v1/join-tokens", nil, &out); err != nil {
			return err
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tROLE\tNAME\tSTATE\tEXPIRES\tNODE")
		for _, t := range out.Tokens {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Role, plain(t.Name), t.State, t.ExpiresAt, plain(t.Node))
		}
		return w.Flush()
	}
	return c
}

func tokenDeleteCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "delete ID", Short: "Take a token back: nobody joins with it any more; who joined with it stays", Args: cobra.ExactArgs(1)}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return operate(cmd.Context(), at(), http.MethodDelete, "/v1/join-tokens/"+url.PathEscape(args[0]), nil, &struct{}{})
	}
	return c
}
