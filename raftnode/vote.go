package raftnode

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/failpoint"
)

// Raft persists a vote as two writes, the term and then the candidate. A
// crash between them would leave "voted in the new term for the old
// candidate", and a repeated request of that candidate would be granted
// without looking at its log. voteStore holds the first back and writes both
// as one value with the second.
type voteStore struct {
	raft.StableStore

	mu   sync.Mutex
	term uint64 // held back until its candidate comes
}

var (
	keyVoteTerm      = []byte("LastVoteTerm") // raft's names
	keyVoteCandidate = []byte("LastVoteCand")
	keyVote          = []byte("kvorum.vote") // ours: term in 8 bytes, then the candidate

	// errNotFound reads as raft expects an absent key to read.
	errNotFound = errors.New("not found")
)

// SetUint64 implements raft.StableStore.
func (s *voteStore) SetUint64(k []byte, v uint64) error {
	if string(k) != string(keyVoteTerm) {
		return s.StableStore.SetUint64(k, v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.term = v
	return nil
}

// Set implements raft.StableStore.
func (s *voteStore) Set(k, v []byte) error {
	if string(k) != string(keyVoteCandidate) {
		return s.StableStore.Set(k, v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := failpoint.Hit(context.Background(), failpoint.VoteBefore); err != nil {
		return err
	}
	if err := s.StableStore.Set(keyVote, append(binary.BigEndian.AppendUint64(nil, s.term), v...)); err != nil {
		return err
	}
	return failpoint.Hit(context.Background(), failpoint.VoteAfter)
}

// GetUint64 implements raft.StableStore.
func (s *voteStore) GetUint64(k []byte) (uint64, error) {
	if string(k) != string(keyVoteTerm) {
		return s.StableStore.GetUint64(k)
	}
	vote, err := s.vote()
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(vote), nil
}

// Get implements raft.StableStore.
func (s *voteStore) Get(k []byte) ([]byte, error) {
	if string(k) != string(keyVoteCandidate) {
		return s.StableStore.Get(k)
	}
	vote, err := s.vote()
	if err != nil {
		return nil, err
	}
	return vote[8:], nil
}

func (s *voteStore) vote() ([]byte, error) {
	vote, err := s.StableStore.Get(keyVote)
	if err != nil {
		return nil, err
	}
	if len(vote) < 8 {
		return nil, errNotFound
	}
	return vote, nil
}
