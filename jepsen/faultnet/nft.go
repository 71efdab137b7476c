package faultnet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// tableName is that of a filter's table in each namespace.
const tableName = "faultnet"

// counterName names a counter of the packets from the i-th member.
func counterName(f fate, i int) string {
	return fmt.Sprintf("%s%d", [...]string{passes: "pass", isDropped: "drop", isCut: "cut"}[f], i)
}

// script is a transaction that puts the rules of one receiver in the place of
// the earlier ones, before connection tracking and every other table. The
// counters are objects of their own, which stay as they are.
func (f *Filter) script(to Member, rules []*stage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "table ip %s {\n", tableName)
	for i, from := range f.members {
		if from.Name != to.Name {
			fmt.Fprintf(&b, " counter %s { }\n counter %s { }\n counter %s { }\n",
				counterName(passes, i), counterName(isDropped, i), counterName(isCut, i))
		}
	}
	fmt.Fprintf(&b, " chain in { type filter hook input priority -300; policy accept; }\n}\nflush chain ip %s in\n", tableName)
	for _, s := range rules {
		i := f.index(s.From)
		words := fmt.Sprintf("ip saddr %v%s", f.members[i].Addr, s.nft())
		why := isDropped
		switch {
		case s.Cut:
			why = isCut
		case s.Drop < Always:
			words += fmt.Sprintf(" numgen random mod %d < %d", int(Always), int(s.Drop))
		}
		fmt.Fprintf(&b, "add rule ip %s in %s counter name %s drop\n", tableName, words, counterName(why, i))
	}
	for i, from := range f.members {
		if from.Name != to.Name {
			fmt.Fprintf(&b, "add rule ip %s in ip saddr %v counter name %s\n", tableName, from.Addr, counterName(passes, i))
		}
	}
	return b.String()
}

// nft is the match in the words of nftables.
func (s *stage) nft() (words string) {
	switch {
	case s.Proto != Any:
		words = " meta l4proto " + string(s.Proto)
	case s.SrcPort != 0 || s.DstPort != 0:
		words = " meta l4proto { tcp, udp }"
	}
	if s.SrcPort != 0 {
		words += fmt.Sprintf(" th sport %d", s.SrcPort)
	}
	if s.DstPort != 0 {
		words += fmt.Sprintf(" th dport %d", s.DstPort)
	}
	return words
}

func nft(ctx context.Context, netns, script string) error {
	_, err := run(ctx, script, "ip", "netns", "exec", netns, "nft", "-f", "-")
	return err
}

// count is one counter of nftables.
type count struct {
	Name           string
	Packets, Bytes uint64
}

// counters reads all of a namespace's, by name.
func counters(ctx context.Context, netns string) (map[string]count, error) {
	out, err := run(ctx, "", "ip", "netns", "exec", netns, "nft", "-j", "list", "counters", "table", "ip", tableName)
	if err != nil {
		return nil, err
	}
	var list struct {
		Nftables []struct{ Counter *count }
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, errs.E("faultnet.nft", errs.Internal, "the counters cannot be read", err)
	}
	all := map[string]count{}
	for _, o := range list.Nftables {
		if o.Counter != nil {
			all[o.Counter.Name] = *o.Counter
		}
	}
	return all, nil
}

// errorOutput bounds what of a failed command's output an error repeats.
const errorOutput = 2048

func run(ctx context.Context, input string, argv ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		text := said.Bytes()
		text = bytes.TrimSpace(text[:min(len(text), errorOutput)])
		return nil, errs.E("faultnet.nft", errs.Internal, "", fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, text))
	}
	return out, nil
}
