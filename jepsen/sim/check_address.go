package sim

import (
	"github.com/kvorum/kvorum/hostagent"
)

// addressChecker is "one owner on the wire": no two guests that run use one
// address or one MAC of a network, whatever the state says.
type addressChecker struct {
	nothing
	w *world
}

func (c *addressChecker) observed(h *host, was, now hostagent.Have) {
	if !up(now) || now.Boot == was.Boot {
		return
	}
	mine := wireNames(h, now.ID)
	if len(mine) == 0 {
		return
	}
	taken := map[string]bool{}
	for _, n := range mine {
		taken[n] = true
	}
	for _, other := range c.w.hosts {
		for _, id := range sortedKeys(other.seen) {
			if id == now.ID || !other.runs(id) {
				continue
			}
			for _, n := range wireNames(other, id) {
				if taken[n] {
					c.w.violated("one owner on the wire", "%s is used by %s on %s and by %s on %s", n,
						c.w.film.name("s", now.ID), h.name, c.w.film.name("s", id), other.name)
				}
			}
		}
	}
}

// wireNames are the addresses and MACs that a guest uses, with their network.
func wireNames(h *host, id string) (all []string) {
	for _, nic := range h.driver.specs[id].NICs {
		all = append(all, nic.NetworkID+" "+nic.MAC)
		for _, a := range nic.Addresses {
			all = append(all, nic.NetworkID+" "+a)
		}
	}
	return all
}
