package main

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/kvorum/kvorum/raftnode"
)

// workload is what is measured: a state machine and the commands for it.
type workload interface {
	// machine gives the state machine to replicate.
	machine() raftnode.StateMachine
	// prepare gets the state that the commands need into the log.
	prepare(propose func(data []byte) error) error
	// command makes the i-th command of a caller. Callers run concurrently.
	command(caller int, i uint64) []byte
}

// newWorkload names the workload.
func newWorkload() workload { return &registers{} }

// registers is a small update of one of many values.
type registers struct{}

const (
	registerCount   = 1024
	registerPayload = 240 // bytes, about a small command in JSON
)

func (*registers) machine() raftnode.StateMachine { return &registerMachine{} }

func (*registers) prepare(func([]byte) error) error { return nil }

func (*registers) command(caller int, i uint64) []byte {
	b := make([]byte, registerPayload)
	binary.BigEndian.PutUint64(b, uint64(caller)*7919+i)
	binary.BigEndian.PutUint64(b[8:], i)
	return b
}

type registerMachine struct{ values [registerCount]uint64 }

// ApplyBatch implements raftnode.StateMachine.
func (m *registerMachine) ApplyBatch(entries []raftnode.Entry) ([]any, error) {
	out := make([]any, len(entries))
	for i, e := range entries {
		m.values[binary.BigEndian.Uint64(e.Data)%registerCount] = binary.BigEndian.Uint64(e.Data[8:])
		out[i] = e.Index
	}
	return out, nil
}

// Snapshot implements raftnode.StateMachine.
func (m *registerMachine) Snapshot() (io.WriterTo, error) {
	b := make([]byte, 0, registerCount*8)
	for _, v := range m.values {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return bytes.NewReader(b), nil
}

// Restore implements raftnode.StateMachine.
func (m *registerMachine) Restore(r io.Reader) error {
	return binary.Read(r, binary.BigEndian, &m.values)
}
