package drive

import (
	"fmt"
	"hash/fnv"
)

// chance gives a number that depends on the seed and on what it is for, and on
// nothing else: not on what else was drawn, nor in which order threads came.
func chance(seed uint64, what ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, seed)
	for _, w := range what {
		fmt.Fprintf(h, "\x00%v", w)
	}
	// FNV's last bytes hardly reach the high bits: mix as splitmix64 does.
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below is a chance in [0, n); 0 if n is 0.
func below(n int64, seed uint64, what ...any) int64 {
	if n <= 0 {
		return 0
	}
	return int64(chance(seed, what...) % uint64(n))
}

// coin is a chance of one in two.
func coin(seed uint64, what ...any) bool { return chance(seed, what...)&1 == 1 }
