package main

import (
	"testing"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
)

// BenchmarkApply measures the state machine alone: batches as many callers
// make them, without a log.
func BenchmarkApply(b *testing.B) {
	for _, name := range []string{"update", "create"} {
		b.Run(name, func(b *testing.B) { benchmarkApply(b, workloads[name]) })
	}
}

func benchmarkApply(b *testing.B, w workload) {
	const batch = 128
	m := fsm.New(false)
	index := uint64(0)
	apply := func(list ...[]byte) {
		in := make([]fsm.Entry, len(list))
		for i, data := range list {
			index++
			in[i] = fsm.Entry{Index: index, Term: 1, At: int64(index) * 1e6, Data: data}
		}
		for _, res := range m.ApplyBatch(in) {
			if res.Err != nil {
				b.Fatal(res.Err)
			}
		}
	}
	for _, list := range w.prepare() {
		for _, c := range list {
			data, err := command.Encode(envelope("", c))
			if err != nil {
				b.Fatal(err)
			}
			apply(data)
		}
	}
	ids, err := newIDs(b.N * idsPerCommand)
	if err != nil {
		b.Fatal(err)
	}
	data, err := encodeAll(b.N, func(i int) command.Envelope { return envelope(ids.take(), w.command(i, ids)) })
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	used := cpuSeconds()
	for len(data) > 0 {
		n := min(batch, len(data))
		apply(data[:n]...)
		data = data[n:]
	}
	b.ReportMetric((cpuSeconds()-used)/float64(b.N)*1e9, "cpu-ns/op")
}
