package main

import (
	"fmt"
	"net/http"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kvorum/kvorum/api/operator"
)

// gossipCommand looks at what gossip finds, from one control node.
func gossipCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "gossip", Short: "What gossip finds, and what is wrong with nodes' identities"}
	c.AddCommand(gossipMembersCommand(at), gossipAlarmsCommand(at))
	return c
}

func gossipMembersCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "members", Short: "List the nodes that gossip shows: hints, by which nothing is decided", Args: cobra.NoArgs}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		var out struct{ Members []operator.GossipMember }
		if err := operate(cmd.Context(), at(), http.MethodGet, "/v1/gossip/members", nil, &out); err != nil {
			return err
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "POOL\tNAME\tID\tROLE\tSTATUS\tADDRESS\tINTERNAL\tVERSION\tKNOWN")
		for _, m := range out.Members {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%v\n", m.Pool, plain(m.Name), m.ID, plain(m.Role), m.Status, m.Address, plain(m.RPC), plain(m.Version), m.Known)
		}
		return w.Flush()
	}
	return c
}

func gossipAlarmsCommand(at func() string) *cobra.Command {
	c := &cobra.Command{Use: "alarms", Short: "List names that two nodes claim, cloned hosts, and foreign keys, as this control node saw them", Args: cobra.NoArgs}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		var out struct{ Alarms []operator.Alarm }
		if err := operate(cmd.Context(), at(), http.MethodGet, "/v1/gossip/alarms", nil, &out); err != nil {
			return err
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "KIND\tPOOL\tNAME\tID\tBELIEVED\tOTHER\tCOUNT\tFIRST\tLAST\tACTIVE")
		for _, a := range out.Alarms {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%v\n", a.Kind, plain(a.Pool), plain(a.Name), plain(a.ID), plain(a.Holder), plain(a.Claimant), a.Count,
				a.First, a.Last, a.Active)
		}
		return w.Flush()
	}
	return c
}

// plain is a word for a terminal: what members say of themselves may be anything.
func plain(s string) string {
	if s == "" {
		return "-"
	}
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}
