package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kvorum/kvorum/api/operator"
)

// raftCommand is for the members of the replicated log.
func raftCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "raft", Short: "The replicated log's members"}
	c.AddCommand(listPeersCommand(at), removePeerCommand(at), transferLeaderCommand(at))
	return c
}

func listPeersCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "list-peers", Short: "List the control nodes that take part in the log", Args: cobra.NoArgs}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		var out struct {
			Members []struct {
				ID, Name, Address string
				Voter, Leader     bool
			}
		}
		if err := operate(cmd.Context(), at(), http.MethodGet, "/v1/members", nil, &out); err != nil {
			return err
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tID\tADDRESS\tVOTER\tLEADER")
		for _, m := range out.Members {
			fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%v\n", m.Name, m.ID, m.Address, m.Voter, m.Leader)
		}
		return w.Flush()
	}
	return c
}

func removePeerCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "remove-peer NAME", Short: "Remove another control node for good, if those that are left can go on without it", Args: cobra.ExactArgs(1),
		Long: "Remove another control node for good: its certificates are taken back, and it does not vote any more. It is refused\n" +
			"for the one that leads (hand the lead over first), and if too few of the others answer to go on without it.\n" +
			"Stop the node, and remove its data folder; it may join again like a new one."}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var out struct{ ID, Name string }
		if err := operate(cmd.Context(), at(), http.MethodDelete, "/v1/members/"+url.PathEscape(args[0]), nil, &out); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s (%s) is no control node any more.\n", plain(out.Name), out.ID)
		return nil
	}
	return c
}

func transferLeaderCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "transfer-leader [NAME]", Short: "Let another control node lead: the one named, or the one that is furthest; to be run on the leader", Args: cobra.MaximumNArgs(1)}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var in operator.LeaderRequest
		if len(args) > 0 {
			in.To = args[0]
		}
		return operate(cmd.Context(), at(), http.MethodPost, "/v1/leader", in, &struct{}{})
	}
	return c
}
