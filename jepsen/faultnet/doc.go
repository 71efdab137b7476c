// Package faultnet is the network of the fault harness: a switch in the
// harness's own process that carries the hosts' IPv4 packets and, for each
// ordered pair of hosts, loses, delays, repeats, reorders, damages, slows,
// holds or cuts those that a rule names.
//
//	sw, err := faultnet.New(faultnet.Options{Seed: seed, Capture: 1000})
//	rack, err := testbed.New(ctx, testbed.Options{Prefix: "jep", Dir: dir, Wire: sw})
//	c1, err := rack.AddHost(ctx, "c1")
//	err = sw.Apply(ctx, faultnet.Rule{From: "c1", To: "c2", Match: faultnet.Match{Proto: faultnet.TCP},
//		Fault: faultnet.Fault{Drop: 5 * faultnet.Percent, Delay: 75 * time.Millisecond, Jitter: 50 * time.Millisecond}})
//	counts, err := sw.Counters(ctx)
//	err = sw.Heal(ctx)
//
// Each port is a TUN device inside a host's network namespace. The switch has
// the other end: it reads what the host sends and writes it to the host that
// has the destination address. Everything between hosts is IP, so raft's
// streams, gossip's datagrams, tunnels and the harness's own clients pass
// alike. When the process ends, in whatever way, the kernel takes the devices
// away.
//
// Invariant: what happens to a packet is decided by a pure function of the
// seed, the pair, the packet's number in the pair, the packet and the pair's
// rules; so a seed gives the same decisions for the same packets. And nothing
// is lost unseen: each packet that a switch takes is delivered, kept within a
// bound, or counted under what became of it.
//
// Filter does the little that a packet filter in the hosts' namespaces can do,
// cuts and loss, behind the same interface: what the harness finds on the
// switch can be looked for without it.
//
// It must not know what runs on the hosts, nor what a test makes of it.
package faultnet
