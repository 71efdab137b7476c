package faultnet

import (
	"fmt"
	"hash/fnv"
)

// Share is a part of all packets, in millionths: 5*Percent is one in twenty.
type Share int

// Shares to multiply.
const (
	Percent Share = 10_000
	Always  Share = 100 * Percent
)

// String shows the share in percent.
func (s Share) String() string {
	if s%Percent == 0 {
		return fmt.Sprintf("%d%%", int(s/Percent))
	}
	return fmt.Sprintf("%d.%04d%%", int(s/Percent), int(s%Percent))
}

// dice are the chance of one ordered pair. They have no state: a throw is a
// hash of what it is for, so that what one packet or one rule throws never
// depends on what others did.
type dice uint64

// face tells the questions apart that one rule asks for one packet.
type face uint64

const (
	faceDrop face = iota + 1
	faceDuplicate
	faceCorrupt
	faceBit
	faceJitter
	faceReorder
)

func newDice(seed uint64, p Pair) dice {
	return dice(mix(seed ^ digest(p.String())))
}

// throw gives 64 random bits for the n-th packet of the pair, a rule's salt
// and a question.
func (d dice) throw(n, salt uint64, f face) uint64 {
	return mix(mix(mix(uint64(d)+n)^salt) + uint64(f))
}

// hits tells whether a packet is in the share.
func (d dice) hits(n, salt uint64, f face, s Share) bool {
	return s > 0 && d.throw(n, salt, f)%uint64(Always) < uint64(s)
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood 2014): each bit
// of the input changes about half of the output's.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func digest(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}
