package gossip

// Stats is a look at a pool, for metrics and people. What the libraries count
// themselves goes to the process's one metrics sink, with the label "pool".
type Stats struct {
	// Alive, Failed and Left count the members.
	Alive, Failed, Left int
	// Alarms counts the remembered alarms. Conflicts and OtherKeys count all that
	// was ever seen of each kind.
	Alarms               int
	Conflicts, OtherKeys uint64
	// Keys counts the accepted keys; 2 only during a rotation.
	Keys int
	// Health is 0 if this node keeps the protocol's pace, and grows to 7 the
	// less it does.
	Health int
	// Rejected counts packets and streams that could not be of this pool, nor of
	// another one at the same port, and Ignored the messages of members that ask for what they may not, or speak
	// of nodes that are not known here (yet).
	Rejected, Ignored uint64
}

// Stats looks at the pool.
func (p *Pool) Stats() Stats {
	s := Stats{
		Alarms:   len(p.Alarms()),
		Keys:     len(p.Keys()),
		Health:   p.serf.Memberlist().GetHealthScore(),
		Rejected: p.wire.rejected.Load() + p.wire.port.rejected.Load(),
		Ignored:  p.filter.ignored.Load(),
	}
	p.alarms.mu.Lock()
	s.Conflicts, s.OtherKeys = p.alarms.conflicts, p.alarms.otherKeys
	p.alarms.mu.Unlock()
	for _, m := range p.Members() {
		switch m.Status {
		case Alive:
			s.Alive++
		case Left:
			s.Left++
		default:
			s.Failed++
		}
	}
	return s
}
