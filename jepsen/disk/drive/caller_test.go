package drive

import (
	"os"
	"testing"
)

func TestDoomed(t *testing.T) {
	for text, want := range map[string]bool{
		"Name:\tx\nState:\tD (disk sleep)\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000400000\n": false,
		"State:\tD (disk sleep)\nSigPnd:\t0000000000000100\nShdPnd:\t0000000000000000\n":           true,
		"State:\tS (sleeping)\nShdPnd:\t0000000000400100\n":                                        true,
		"State:\tZ (zombie)\n": true,
		"State:\tX (dead)\n":   true,
		"SigPnd:\tnonsense\n":  false,
		"":                     false,
	} {
		if got := doomedBy(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if doomed(0) || doomed(uint32(os.Getpid())) || !doomed(1<<31-1) {
		t.Error("of the kernel, this process and none, only the last is gone")
	}
}

// TestChanceDependsOnWhatItIsFor: equal for equal words, and spread over all
// others.
func TestChanceDependsOnWhatItIsFor(t *testing.T) {
	if chance(1, "a", 2) != chance(1, "a", 2) || chance(1, "a", 2) == chance(2, "a", 2) || chance(1, "ab") == chance(1, "a", "b") {
		t.Error("chance does not go by seed and words")
	}
	heads, seen := 0, map[int64]int{}
	for n := range 10000 {
		if coin(3, "coin", n) {
			heads++
		}
		seen[below(10, 3, "die", n)]++
	}
	if heads < 4700 || heads > 5300 || len(seen) != 10 || below(0, 1) != 0 {
		t.Errorf("%d heads of 10000, faces %v", heads, seen)
	}
	for face, n := range seen {
		if n < 850 || n > 1150 {
			t.Errorf("face %d came %d times of 10000", face, n)
		}
	}
}
